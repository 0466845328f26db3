import type { WatchEventJson } from '../model/answers.ts';
import { fromBase64, textOf, utf8 } from '../model/bytes.ts';
import { bytes, count } from '../model/format.ts';
import { keyText, parseKeyText } from '../model/key-text.ts';
import { keyOf } from '../model/key-values.ts';
import { followChanges, type WatchState } from '../model/live-watch.ts';
import { button } from '../parts/button.ts';
import type { Context, View } from '../parts/context.ts';
import { field } from '../parts/dialog.ts';
import { diffView } from '../parts/diff-view.ts';
import { el, fill, setText } from '../parts/dom.ts';
import { hashOf, hashOfKey, type Place } from '../parts/place.ts';
import { emptyState } from '../parts/states.ts';
import { VirtualList } from '../parts/virtual-list.ts';

/** An event as it is shown. */
interface EventRow {
  readonly revision: number;
  readonly type: 'put' | 'delete';
  readonly key: Uint8Array;
  readonly value: Uint8Array | undefined;
  readonly previous: Uint8Array | undefined;
  readonly at: Date;
}

/** Older events go; a page that is left open for a night stays as small as it was. */
const eventsMax = 5000;
/** Values of events are kept up to that together, so that large ones do not fill the memory. */
const keptBytesMax = 24 * 1024 * 1024;

/** What happens, as it happens. */
export function watchView({ signal, notices, go }: Context): View {
  let events: EventRow[] = [];
  let keptBytes = 0;
  let total = 0;
  let isPaused = false;
  let isDirty = false;
  let chosen: EventRow | undefined;
  let following = new AbortController();
  signal.addEventListener('abort', () => following.abort());

  const prefix = el('input', { placeholder: 'all keys', spellcheck: 'false', autocomplete: 'off' });
  const revision = el('input', { inputmode: 'numeric', pattern: '[0-9]*', placeholder: 'now', autocomplete: 'off' });
  const filter = el(
    'select',
    {},
    el('option', { value: '' }, 'puts and deletes'),
    el('option', { value: 'put' }, 'puts'),
    el('option', { value: 'delete' }, 'deletes'),
  );
  const state = el('p', { class: 'watch-state', role: 'status' });
  const empty = el('div', { class: 'list-state' });
  const detail = el('div', { class: 'event-detail' });
  const pause = button('Pause', () => setPaused(!isPaused), { icon: 'pause' });
  const list = new VirtualList<EventRow>(
    {
      label: 'Events, newest first',
      rowHeight: 40,
      render: eventRow,
      open: (row) => {
        chosen = row;
        setPaused(true);
        list.redraw();
        showChosen();
      },
      isSelected: (row) => row === chosen,
    },
    signal,
  );
  const form = el(
    'form',
    { class: 'watch-form' },
    field({ label: 'Prefix or key' }, prefix),
    field({ label: 'From revision' }, revision),
    field({ label: 'Events' }, filter),
    el(
      'div',
      { class: 'watch-buttons' },
      button('Watch', () => {}, { kind: 'primary', icon: 'play', attributes: { type: 'submit' } }),
      pause,
      button('Clear', clear),
    ),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const [from, kind] = [revision.value.trim(), filter.value];
    const hash = hashOf('watch', {
      prefix: prefix.value || undefined,
      revision: from || undefined,
      filter: kind || undefined,
    });
    if (location.hash === hash) begin();
    else go(hash);
  });
  const element = el(
    'div',
    { class: 'view watch' },
    el('header', {}, el('h1', {}, 'Watch'), state),
    form,
    el('div', { class: 'watch-body' }, el('div', { class: 'list-frame' }, list.element, empty), detail),
  );
  // Drawn a few times a second, however many events come.
  const timer = setInterval(() => isDirty && !isPaused && redraw(), 200);
  signal.addEventListener('abort', () => clearInterval(timer));

  function begin(): void {
    following.abort();
    following = new AbortController();
    clear();
    setPaused(false);
    let asked: Uint8Array;
    try {
      asked = parseKeyText(prefix.value);
      if (!/^[0-9]{0,15}$/.test(revision.value.trim())) throw new SyntaxError('A revision is a whole number.');
    } catch (reason) {
      notices.failed('This cannot be watched', reason);
      return;
    }
    const from = revision.value.trim();
    void followChanges(
      {
        prefix: asked,
        revision: from === '' ? undefined : Math.max(1, Number(from)),
        filter: (filter.value || undefined) as 'put' | 'delete' | undefined,
      },
      { onEvents: add, onState: showState },
      following.signal,
    );
  }

  function add(at: number, changes: readonly WatchEventJson[]): void {
    for (const change of changes) {
      const row = rowOf(at, change);
      events.push(row);
      keptBytes += sizeOf(row);
    }
    total += changes.length;
    while (events.length > eventsMax || (keptBytes > keptBytesMax && events.length > 1)) {
      const gone = events.shift();
      if (gone !== undefined) keptBytes -= sizeOf(gone);
    }
    isDirty = true;
  }

  function redraw(): void {
    isDirty = false;
    list.setRows(events.toReversed(), { keep: true });
    fill(
      empty,
      events.length === 0 &&
        emptyState('watch', 'Nothing has happened yet', el('p', {}, 'Changes appear here as they are made.')),
    );
  }

  function clear(): void {
    events = [];
    keptBytes = 0;
    total = 0;
    chosen = undefined;
    fill(detail);
    redraw();
  }

  function setPaused(paused: boolean): void {
    isPaused = paused;
    setText(pause.querySelector('span') ?? pause, paused ? 'Go on' : 'Pause');
    pause.setAttribute('aria-pressed', `${paused}`);
    isDirty = true;
  }

  function showState(told: WatchState): void {
    state.className = `watch-state ${told.kind}`;
    const words = {
      connecting: () => 'Connecting…',
      live: () => `Live at revision ${count((told as { revision: number }).revision)}, ${count(total)} events`,
      waiting: () => `${(told as { reason: string }).reason} Trying again.`,
      compacted: () =>
        `That revision is compacted; the oldest that can be watched from is ${(told as { compactRevision: number }).compactRevision}.`,
    };
    setText(state, words[told.kind]());
  }

  function showChosen(): void {
    if (chosen === undefined) return;
    const { key, type, previous, value, revision, at } = chosen;
    fill(
      detail,
      el('h2', { class: 'key-title' }, el('a', { href: hashOfKey(key) }, keyText(key))),
      el(
        'p',
        { class: 'hint' },
        `${type === 'put' ? 'Put' : 'Deleted'} at revision ${count(revision)}, seen at ${at.toLocaleTimeString()}`,
      ),
      diffView(previous, value),
    );
  }

  return {
    element,
    search: () => prefix.focus(),
    moved: ({ parameters }: Place) => {
      prefix.value = parameters['prefix'] ?? '';
      revision.value = parameters['revision'] ?? '';
      filter.value = parameters['filter'] ?? '';
      begin();
    },
  };
}

function eventRow({ revision, type, key, value, at }: EventRow): HTMLElement {
  const preview = value === undefined ? '' : (textOf(value.subarray(0, 120)) ?? bytes(value.length));
  return el(
    'div',
    { class: 'event-row' },
    el('time', {}, at.toLocaleTimeString('en-GB')),
    el('span', { class: 'version-revision' }, `r${revision}`),
    el('span', { class: `badge ${type}` }, type),
    el('span', { class: 'key-name' }, keyText(key)),
    el('span', { class: 'version-preview' }, preview),
  );
}

function rowOf(revision: number, { type, kv, prevKv }: WatchEventJson): EventRow {
  return {
    revision,
    type,
    key: keyOf(kv),
    value: type === 'put' ? valueIn(kv) : undefined,
    previous: prevKv && valueIn(prevKv),
    at: new Date(),
  };
}

function valueIn({ value, valueBase64 }: { readonly value?: string; readonly valueBase64?: string }): Uint8Array {
  return valueBase64 === undefined ? utf8(value ?? '') : fromBase64(valueBase64);
}

function sizeOf({ key, value, previous }: EventRow): number {
  return key.length + (value?.length ?? 0) + (previous?.length ?? 0);
}
