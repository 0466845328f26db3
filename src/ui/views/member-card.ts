import type { ClusterMember } from '../model/answers.ts';
import { count, duration } from '../model/format.ts';
import { el } from '../parts/dom.ts';
import { icon } from '../parts/icon.ts';
import { memberPage } from '../parts/place.ts';

/** A member in a small card: what it does, and how far behind it is. */
export function memberCard(member: ClusterMember, here: string): HTMLElement {
  const { id, name, state, version, clientUrls } = member;
  const page = memberPage(clientUrls[0]);
  return el(
    'article',
    { class: `member-card ${state}` },
    el(
      'header',
      {},
      el('h3', {}, name || 'not started yet'),
      roleBadge(member),
      id === here && el('span', { class: 'badge here', title: 'The member that you ask' }, 'you are here'),
    ),
    el('p', { class: 'member-word' }, memberWord(member)),
    el(
      'footer',
      {},
      el('code', {}, id),
      version !== '' && el('span', {}, version),
      page !== undefined && id !== here && el('a', { href: page }, 'Its page', icon('external')),
    ),
  );
}

export function roleBadge({ role, state }: ClusterMember): HTMLElement {
  if (state === 'leader') return el('span', { class: 'badge leader' }, icon('crown'), 'leader');
  if (state === 'unreachable') return el('span', { class: 'badge unreachable' }, icon('alert'), 'unreachable');
  return el('span', { class: `badge ${role}` }, role === 'learner' ? 'learner' : 'follower');
}

export function memberWord({ state, lagEntries, lastContactMs }: ClusterMember): string {
  if (state === 'leader') return 'Takes all writes';
  if (state === 'unreachable') {
    return lastContactMs === null
      ? 'Never heard of'
      : `Not heard of for ${duration(Math.max(1, lastContactMs / 1000))}`;
  }
  if (lagEntries === null) return 'In contact';
  return lagEntries === 0 ? 'Up to date' : `${count(lagEntries)} ${lagEntries === 1 ? 'entry' : 'entries'} behind`;
}
