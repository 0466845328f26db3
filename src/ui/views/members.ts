import type { Cluster, ClusterMember } from '../model/answers.ts';
import { addMember, promoteMember, removeMember, transferLeadership } from '../model/cluster-changes.ts';
import { count, duration } from '../model/format.ts';
import { button } from '../parts/button.ts';
import type { Context, View } from '../parts/context.ts';
import { ask, field } from '../parts/dialog.ts';
import { type Child, el, fill } from '../parts/dom.ts';
import { icon } from '../parts/icon.ts';
import { memberPage } from '../parts/place.ts';
import { loadingState } from '../parts/states.ts';
import { memberWord, roleBadge } from './member-card.ts';

/** Who is in the cluster, and changes of that. */
export function membersView({ feed, notices, signal }: Context): View {
  const body = el('div', { class: 'member-rows' }, loadingState('Asking the cluster…'));
  const element = el(
    'div',
    { class: 'view members' },
    el(
      'header',
      {},
      el('h1', {}, 'Members'),
      button('Add a member', () => void add(), { icon: 'plus', kind: 'primary' }),
    ),
    body,
  );
  let shown = '';
  feed.subscribe(() => {
    const { snapshot } = feed;
    if (snapshot === undefined) return;
    const { cluster, status } = snapshot;
    // Buttons that are pressed or focused must not vanish with every answer.
    const next = JSON.stringify(cluster.members.map((member) => ({ ...member, lastContactMs: memberWord(member) })));
    if (next === shown) return;
    shown = next;
    const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset['focus'] : undefined;
    fill(body, ...cluster.members.map((member) => memberRow(member, cluster, status.memberId)));
    if (focused !== undefined) body.querySelector<HTMLElement>(`[data-focus="${focused}"]`)?.focus();
  }, signal);

  function memberRow(member: ClusterMember, cluster: Cluster, here: string): HTMLElement {
    const { id, name, role, state, peerUrls, clientUrls, matchIndex, lagEntries, lastContactMs, version } = member;
    const act = (label: string, run: () => Promise<void>): HTMLElement =>
      button(label, run, { attributes: { 'data-focus': `${label}-${id}`, 'aria-label': `${label}: ${name || id}` } });
    return el(
      'article',
      { class: `member-row ${state}` },
      el(
        'header',
        {},
        el('h2', {}, name || 'not started yet'),
        roleBadge(member),
        id === here && el('span', { class: 'badge here' }, 'you are here'),
        el('code', {}, id),
        role === 'learner' && act('Promote', () => promote(member)),
        role === 'voter' && state === 'follower' && act('Make leader', () => transfer(member, cluster)),
        act('Remove', () => remove(member, cluster)),
      ),
      el(
        'dl',
        {},
        fact('State', memberWord(member)),
        fact('Match index', matchIndex === null ? 'unknown' : count(matchIndex)),
        fact('Lag', lagEntries === null ? 'unknown' : `${count(lagEntries)} entries`),
        fact('Last contact', contactText(state, lastContactMs)),
        fact('Version', version || 'unknown'),
        fact(
          'Clients',
          clientUrls.map((url) => el('a', { href: memberPage(url) }, url, icon('external'))),
        ),
        fact(
          'Peers',
          peerUrls.map((url) => el('code', {}, url)),
        ),
      ),
    );
  }

  async function add(): Promise<void> {
    const urls = el('input', {
      placeholder: 'http://10.0.0.4:2380',
      required: true,
      spellcheck: 'false',
      autocomplete: 'off',
    });
    const promote = el(
      'select',
      {},
      el('option', { value: 'auto' }, 'as soon as it has caught up'),
      el('option', { value: 'manual' }, 'when it is promoted here'),
    );
    await change({
      title: 'Add a member',
      action: 'Add as a learner',
      content: [
        el('p', {}, 'It joins as a learner, which receives everything and has no vote, and is a voter later.'),
        field({ label: 'Peer URLs', hint: 'Where the other members reach it; several are separated by commas.' }, urls),
        field({ label: 'It gets its vote' }, promote),
      ],
      act: () =>
        addMember(
          urls.value.split(',').map((url) => url.trim()),
          promote.value === 'auto' ? 'auto' : 'manual',
        ),
      done: 'The member is added. Start it now.',
    });
  }

  function promote(member: ClusterMember): Promise<void> {
    return change({
      title: `Promote ${nameOf(member)}?`,
      action: 'Promote',
      content: el(
        'p',
        {},
        'It becomes a voter: writes then need it, or another one, to be acknowledged. The cluster refuses it if it has not caught up.',
      ),
      act: () => promoteMember(member.id),
      done: `${nameOf(member)} is a voter`,
    });
  }

  function transfer(member: ClusterMember, { members, leader }: Cluster): Promise<void> {
    const present = members.find(({ id }) => id === leader);
    return change({
      title: `Make ${nameOf(member)} the leader?`,
      action: 'Make leader',
      content: el(
        'p',
        {},
        `${present === undefined ? 'The present leader' : nameOf(present)} hands over. Writes wait for a moment; none is lost.`,
      ),
      act: () => transferLeadership(member.id),
      done: `${nameOf(member)} leads`,
    });
  }

  function remove(member: ClusterMember, { members }: Cluster): Promise<void> {
    const left = members.filter(({ id, role }) => id !== member.id && role === 'voter').length;
    return change({
      title: `Remove ${nameOf(member)}?`,
      danger: true,
      action: 'Remove for good',
      typed: nameOf(member),
      content: [
        el(
          'p',
          {},
          'Its id is never used again; to come back, it has to join as a new member with an empty directory.',
        ),
        el(
          'p',
          {},
          `${left} ${left === 1 ? 'voter is' : 'voters are'} left; ${Math.floor(left / 2) + 1} of them must be reachable.`,
        ),
      ],
      act: () => removeMember(member.id),
      done: `${nameOf(member)} is removed`,
    });
  }

  async function change(asked: {
    title: string;
    action: string;
    content: Child;
    act: () => Promise<void>;
    done: string;
    danger?: boolean;
    typed?: string;
  }): Promise<void> {
    const { done, ...rest } = asked;
    if (await ask(rest)) notices.done(done);
    feed.refresh();
  }

  return { element };
}

function nameOf({ name, id }: ClusterMember): string {
  return name || id;
}

function contactText(state: ClusterMember['state'], lastContactMs: number | null): string {
  if (state === 'leader') return 'leads';
  if (lastContactMs === null) return 'never';
  return lastContactMs < 1000 ? 'now' : `${duration(lastContactMs / 1000)} ago`;
}

function fact(name: string, value: Child): HTMLElement {
  return el('div', {}, el('dt', {}, name), el('dd', {}, value));
}
