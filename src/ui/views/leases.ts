import type { LeaseTime } from '../model/answers.ts';
import { errorText, isAbort } from '../model/api.ts';
import { grantLease, leaseIds, leaseTime, renewLease, revokeLease } from '../model/cluster-changes.ts';
import { duration, plural } from '../model/format.ts';
import { keyText } from '../model/key-text.ts';
import { keyOf } from '../model/key-values.ts';
import { button, iconButton } from '../parts/button.ts';
import type { Context, View } from '../parts/context.ts';
import { ask, field } from '../parts/dialog.ts';
import { el, fill, setText } from '../parts/dom.ts';
import { hashOfKey, type Place } from '../parts/place.ts';
import { emptyState, errorState, loadingState } from '../parts/states.ts';

/** A lease, and when it was told how long it has left. */
interface LeaseRow {
  readonly time: LeaseTime;
  readonly at: number;
}

/** One request each: beyond that the others are named only when they are looked for. */
const shownMax = 200;
const atOnce = 6;
const readAgainMs = 5000;
const keysShown = 20;

/** All leases with the time that they have left, and their keys. */
export function leasesView({ signal, notices }: Context): View {
  let wanted = '';
  let rows: readonly LeaseRow[] = [];
  let total = 0;
  const summary = el('p', { class: 'facts', role: 'status' });
  const body = el('div', { class: 'lease-body' }, loadingState('Reading the leases…'));
  const search = el('input', {
    type: 'search',
    'aria-label': 'Search for a lease by its id',
    placeholder: 'Search by id',
    spellcheck: 'false',
    oninput: () => {
      wanted = search.value.trim().toLowerCase();
      void read();
    },
  });
  const element = el(
    'div',
    { class: 'view leases' },
    el(
      'header',
      {},
      el('h1', {}, 'Leases'),
      summary,
      button('Grant a lease', () => void grant(), { icon: 'plus', kind: 'primary' }),
    ),
    search,
    body,
  );
  const ticking = setInterval(tick, 500);
  const reading = setInterval(() => !document.hidden && void read(), readAgainMs);
  signal.addEventListener('abort', () => {
    clearInterval(ticking);
    clearInterval(reading);
  });
  let turn = 0;

  async function read(): Promise<void> {
    const mine = ++turn;
    try {
      const ids = (await leaseIds(signal)).filter((id) => id.includes(wanted));
      const found = await readTimes(ids.slice(0, shownMax), signal);
      if (mine !== turn) return;
      total = ids.length;
      rows = found.sort((one, other) => leftOf(one) - leftOf(other));
      show();
    } catch (reason) {
      if (isAbort(reason) || mine !== turn) return;
      const again = button('Try again', () => void read(), { icon: 'refresh' });
      fill(body, errorState('The leases cannot be read', errorText(reason), again));
    }
  }

  function show(): void {
    const more = total > rows.length ? `, the first ${rows.length} are shown` : '';
    setText(summary, `${plural(total, 'lease')}${more}`);
    if (rows.length === 0) {
      const help = 'A key that is put with a lease goes when nobody renews the lease any more.';
      fill(body, emptyState('leases', wanted === '' ? 'No leases' : 'No lease has this id', el('p', {}, help)));
      return;
    }
    const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset['focus'] : undefined;
    const heads = ['Lease', 'Time left', 'Granted for', 'Keys', 'Actions'];
    fill(
      body,
      el(
        'div',
        { class: 'table-frame' },
        el(
          'table',
          {},
          el(
            'thead',
            {},
            el(
              'tr',
              {},
              heads.map((head) => el('th', { scope: 'col' }, head)),
            ),
          ),
          el('tbody', {}, rows.map(rowOf)),
        ),
      ),
    );
    if (focused !== undefined) body.querySelector<HTMLElement>(`[data-focus="${focused}"]`)?.focus();
    tick();
  }

  function rowOf({ time }: LeaseRow): HTMLElement {
    const { id, grantedTtl, keys = [] } = time;
    const links = keys
      .slice(0, keysShown)
      .map((json) => el('a', { href: hashOfKey(keyOf(json)) }, keyText(keyOf(json))));
    return el(
      'tr',
      {},
      el('th', { scope: 'row' }, el('code', {}, id)),
      el(
        'td',
        { class: 'lease-left', 'data-lease': id },
        el('span', {}),
        el('progress', { max: grantedTtl, 'aria-label': `Time left of lease ${id}` }),
      ),
      el('td', {}, duration(grantedTtl)),
      el(
        'td',
        { class: 'lease-keys' },
        links.length === 0 ? el('span', { class: 'muted' }, 'none') : links,
        keys.length > keysShown && ` and ${keys.length - keysShown} more`,
      ),
      el(
        'td',
        { class: 'row-tools' },
        iconButton(`Renew lease ${id}`, 'refresh', () => void renew(id), {
          attributes: { 'data-focus': `renew-${id}` },
        }),
        iconButton(`Revoke lease ${id}`, 'trash', () => void revoke(time), {
          attributes: { 'data-focus': `revoke-${id}` },
        }),
      ),
    );
  }

  /** Between two answers the time goes on by itself. */
  function tick(): void {
    for (const row of rows) {
      const cell = body.querySelector(`[data-lease="${row.time.id}"]`);
      const [text, bar] = [cell?.querySelector('span'), cell?.querySelector('progress')];
      if (!text || !bar) continue;
      const left = Math.max(0, leftOf(row));
      setText(text, left === 0 ? 'ending' : duration(Math.ceil(left)));
      bar.value = left;
      bar.className = left / row.time.grantedTtl < 0.25 ? 'short' : '';
    }
  }

  async function grant(): Promise<void> {
    const ttl = el('input', { type: 'number', min: 1, max: 9_000_000_000, value: 60, required: true });
    await ask({
      title: 'Grant a lease',
      action: 'Grant',
      content: field(
        { label: 'Seconds', hint: 'It ends, and its keys with it, when it was not renewed for so long.' },
        ttl,
      ),
      act: async () => notices.done(`Granted lease ${await grantLease(Number(ttl.value))}`),
    });
    await read();
  }

  async function renew(id: string): Promise<void> {
    const isDone = await ask({
      title: 'Renew this lease?',
      action: 'Renew',
      content: el('p', {}, 'Lease ', el('code', {}, id), ' gets its full time again, once.'),
      act: () => renewLease(id),
    });
    if (isDone) await read();
  }

  async function revoke({ id, keys = [] }: LeaseTime): Promise<void> {
    const isDone = await ask({
      title: 'Revoke this lease?',
      danger: true,
      action: 'Revoke',
      content: [
        el(
          'p',
          {},
          `Lease `,
          el('code', {}, id),
          ` ends now. ${keys.length === 0 ? 'It has no keys.' : `${plural(keys.length, 'key')} are deleted with it:`}`,
        ),
        el(
          'ul',
          { class: 'key-shown' },
          keys.slice(0, keysShown).map((json) => el('li', {}, keyText(keyOf(json)))),
        ),
      ],
      act: () => revokeLease(id),
    });
    if (isDone) notices.done(`Revoked lease ${id}`);
    await read();
  }

  return {
    element,
    search: () => search.focus(),
    moved: ({ parameters }: Place) => {
      search.value = parameters['id'] ?? '';
      wanted = search.value.toLowerCase();
      void read();
    },
  };
}

function leftOf({ time, at }: LeaseRow): number {
  return time.ttl - (performance.now() - at) / 1000;
}

/** A few at a time; a lease that ended meanwhile is left out. */
async function readTimes(ids: readonly string[], signal: AbortSignal): Promise<LeaseRow[]> {
  const found: LeaseRow[] = [];
  const rest = [...ids];
  const work = async (): Promise<void> => {
    for (let id = rest.shift(); id !== undefined; id = rest.shift()) {
      const time = await leaseTime(id, { keys: true, signal }).catch((reason: unknown) => {
        if (typeof reason === 'object' && reason !== null && 'code' in reason && reason.code === 'lease_not_found')
          return undefined;
        throw reason;
      });
      if (time !== undefined) found.push({ time, at: performance.now() });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return found;
}
