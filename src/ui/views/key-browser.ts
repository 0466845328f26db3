import { ApiError, errorText, isAbort } from '../model/api.ts';
import { count, plural } from '../model/format.ts';
import { KeyList, type KeyRow } from '../model/key-list.ts';
import { type SearchProgress, searchKeys } from '../model/key-search.ts';
import { keyText } from '../model/key-text.ts';
import { isCompacted } from '../model/key-values.ts';
import { button } from '../parts/button.ts';
import { el, fill, setText } from '../parts/dom.ts';
import { icon } from '../parts/icon.ts';
import { emptyState, errorState, loadingState } from '../parts/states.ts';
import { choice } from '../parts/value-view.ts';
import { VirtualList } from '../parts/virtual-list.ts';

export interface KeyBrowserOptions {
  readonly signal: AbortSignal;
  readonly openKey: (key: Uint8Array) => void;
  readonly openPrefix: (prefix: Uint8Array) => void;
  readonly up: () => void;
  readonly isOpen: (key: Uint8Array) => boolean;
}

const none = new Uint8Array();

/** The keys of a prefix as folders or flat, read as one scrolls, or those that a search found. */
export class KeyBrowser {
  readonly element: HTMLElement;
  readonly #list: VirtualList<KeyRow>;
  readonly #state = el('div', { class: 'list-state' });
  readonly #count = el('span', { role: 'status' });
  #prefix: Uint8Array = none;
  #shape: 'folders' | 'flat' = 'folders';
  #keys: KeyList | undefined;
  #wanted = '';
  #total: number | undefined;
  /** Ends what is being read for what was shown before. */
  #reading = new AbortController();
  #isReading = false;

  constructor(options: KeyBrowserOptions) {
    options.signal.addEventListener('abort', () => this.#reading.abort());
    this.#list = new VirtualList<KeyRow>(
      {
        label: 'Keys',
        rowHeight: 36,
        render: (row) => this.#row(row),
        open: (row) => (row.kind === 'key' ? options.openKey(row.key) : options.openPrefix(row.prefix)),
        onEnd: () => void this.#readMore(),
        isSelected: (row) => row.kind === 'key' && options.isOpen(row.key),
        onKey: (event) => {
          if (event.key !== 'Backspace') return false;
          options.up();
          return true;
        },
      },
      options.signal,
    );
    const shapes = [
      ['folders', 'Folders'],
      ['flat', 'Flat'],
    ] as const;
    const shape = choice('Shape of the list', shapes, this.#shape, (chosen) => {
      this.#shape = chosen;
      this.reload();
    });
    this.element = el(
      'div',
      { class: 'key-browser' },
      el('div', { class: 'list-frame' }, this.#list.element, this.#state),
      el('footer', {}, this.#count, shape),
    );
  }

  show(prefix: Uint8Array): void {
    this.#prefix = prefix;
    this.#wanted = '';
    this.reload();
  }

  search(wanted: string): void {
    if (wanted === this.#wanted) return;
    this.#wanted = wanted;
    this.reload();
  }

  /** Reads again what is shown, as it is now. */
  reload(): void {
    this.#reading.abort();
    this.#reading = new AbortController();
    this.#isReading = false;
    this.#total = undefined;
    this.#list.setRows([], { keep: false });
    fill(this.#state, loadingState('Reading keys…'));
    if (this.#wanted !== '') {
      this.#keys = undefined;
      void this.#runSearch(this.#reading.signal);
      return;
    }
    this.#keys = new KeyList(this.#prefix, { folders: this.#shape === 'folders' });
    void this.#readMore();
  }

  redraw(): void {
    this.#list.redraw();
  }

  focus(): void {
    this.#list.focus();
  }

  async #readMore(): Promise<void> {
    const keys = this.#keys;
    if (keys === undefined || keys.isComplete || this.#isReading) return;
    const { signal } = this.#reading;
    this.#isReading = true;
    try {
      await keys.more(signal);
      this.#isReading = false;
      if (signal.aborted) return;
      this.#list.setRows(keys.rows, { keep: true });
      this.#showKeyCount(keys);
      if (this.#total === undefined) void this.#countKeys(keys, signal);
    } catch (reason) {
      if (signal.aborted || isAbort(reason)) return;
      this.#isReading = false;
      // The revision of the first page is no longer kept: what is there now is what can be shown.
      if (isCompacted(reason)) this.reload();
      else this.#showFailure(reason);
    }
  }

  /** Takes a while where there are many; the keys are shown meanwhile. */
  async #countKeys(keys: KeyList, signal: AbortSignal): Promise<void> {
    const total = await keys.count(signal).catch(() => undefined);
    if (signal.aborted || total === undefined) return;
    this.#total = total;
    this.#showKeyCount(keys);
  }

  #showKeyCount(keys: KeyList): void {
    const total = this.#total;
    const shown = keys.isComplete ? '' : `, ${count(keys.rows.length)} rows read`;
    setText(
      this.#count,
      `${total === undefined ? 'Keys' : plural(total, 'key')} at revision ${count(keys.revision ?? 0)}${shown}`,
    );
    fill(this.#state, keys.rows.length === 0 && this.#emptyState());
  }

  #emptyState(): HTMLElement {
    if (this.#prefix.length > 0)
      return emptyState('search', 'No key has this prefix', el('p', {}, keyText(this.#prefix)));
    return emptyState(
      'keys',
      'No keys yet',
      el('p', {}, 'Put the first one with New key, or from a terminal:'),
      el('pre', {}, `curl -X PUT ${location.origin}/v1/kv/hello -d world`),
    );
  }

  async #runSearch(signal: AbortSignal): Promise<void> {
    try {
      for await (const progress of searchKeys(this.#prefix, this.#wanted, signal)) {
        if (signal.aborted) return;
        this.#showFound(progress);
      }
    } catch (reason) {
      if (!signal.aborted && !isAbort(reason)) this.#showFailure(reason);
    }
  }

  #showFound({ scanned, found, state }: SearchProgress): void {
    if (found.length !== this.#list.rows.length) this.#list.setRows(found.slice(), { keep: true });
    const ends = { scanning: 'searching…', done: '', full: 'the first are shown' }[state];
    setText(
      this.#count,
      `${plural(found.length, 'match', 'matches')} in ${plural(scanned, 'key')}${ends && `, ${ends}`}`,
    );
    if (found.length > 0) fill(this.#state);
    else if (state === 'done')
      fill(this.#state, emptyState('search', 'Nothing found', el('p', {}, `No key contains ${this.#wanted}`)));
  }

  #showFailure(reason: unknown): void {
    const title = reason instanceof ApiError && reason.code === 'unreachable' ? 'No answer' : 'The keys cannot be read';
    fill(
      this.#state,
      errorState(
        title,
        errorText(reason),
        button('Try again', () => this.reload(), { icon: 'refresh' }),
      ),
    );
  }

  #row(row: KeyRow): HTMLElement {
    if (row.kind === 'folder') {
      const name = keyText(row.prefix.subarray(this.#prefix.length));
      return el('div', { class: 'key-row folder' }, icon('folder'), el('span', { class: 'key-name' }, name));
    }
    const isFlat = this.#shape === 'flat' || this.#wanted !== '';
    const name = keyText(isFlat ? row.key : row.key.subarray(this.#prefix.length)) || '(the prefix itself)';
    return el(
      'div',
      { class: 'key-row', title: keyText(row.key) },
      icon('key'),
      el('span', { class: 'key-name' }, name),
      row.lease !== undefined && el('span', { class: 'badge', title: `lease ${row.lease}` }, 'lease'),
      el(
        'span',
        { class: 'key-revision', title: `revision ${row.modRevision}, version ${row.version}` },
        `r${row.modRevision}`,
      ),
    );
  }
}
