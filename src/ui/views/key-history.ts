import { errorText, isAbort } from '../model/api.ts';
import { textOf } from '../model/bytes.ts';
import { bytes, count, plural } from '../model/format.ts';
import { type KeyHistory, type KeyVersion, readHistory } from '../model/key-history.ts';
import { button } from '../parts/button.ts';
import type { Context } from '../parts/context.ts';
import { diffView } from '../parts/diff-view.ts';
import { el, fill } from '../parts/dom.ts';
import { emptyState, errorState, loadingState } from '../parts/states.ts';
import { valueView } from '../parts/value-view.ts';
import { VirtualList } from '../parts/virtual-list.ts';

/** What a key was, and what changed between two of its versions. */
export function keyHistory({ signal }: Context, key: Uint8Array): HTMLElement {
  const element = el('div', { class: 'history' }, loadingState('Reading the history…'));
  const show = async (): Promise<void> => {
    try {
      const history = await readHistory(key, signal);
      if (signal.aborted) return;
      if (history.versions.length === 0)
        fill(
          element,
          emptyState(
            'leases',
            'No history',
            el('p', {}, 'This key was never there, or what it was has been compacted.'),
          ),
        );
      else fill(element, ...new Versions(history, signal).elements);
    } catch (reason) {
      if (isAbort(reason)) return;
      const again = button('Try again', () => void show(), { icon: 'refresh' });
      fill(element, errorState('The history cannot be read', errorText(reason), again));
    }
  };
  void show();
  return element;
}

const rowHeight = 40;

/** The list of versions, and the difference of the two that are chosen: a click chooses a version and the one before. */
class Versions {
  readonly elements: readonly HTMLElement[];
  readonly #versions: readonly KeyVersion[];
  readonly #list: VirtualList<KeyVersion>;
  readonly #compared = el('div', { class: 'compared', 'aria-live': 'polite' });
  /** Indexes, newest first: `from` is above `to` in number, and older. */
  #to = 0;
  #from = 1;

  constructor({ versions, compactRevision, isCut }: KeyHistory, signal: AbortSignal) {
    this.#versions = versions;
    this.#list = new VirtualList<KeyVersion>(
      {
        label: 'Versions, newest first',
        rowHeight,
        render: (version) => this.#row(version),
        open: (version) => this.#choose(versions.indexOf(version)),
        isSelected: (version) => version === versions[this.#to],
      },
      signal,
    );
    const kept =
      compactRevision === 0
        ? 'All of it is kept.'
        : `What was before revision ${count(compactRevision)} has been compacted.`;
    const cut = isCut ? ' Only the newest are shown.' : '';
    this.elements = [
      el(
        'p',
        { class: 'hint' },
        `${plural(versions.length, 'version')}. ${kept}${cut} Choose one to see what it changed.`,
      ),
      el('div', { class: 'versions' }, this.#list.element),
      this.#compared,
    ];
    this.#list.element.style.height = `${Math.min(7.1, versions.length) * rowHeight}px`;
    this.#list.setRows(versions, { keep: false });
    this.#choose(0);
  }

  #choose(index: number): void {
    this.#to = index;
    this.#from = index + 1;
    this.#show();
  }

  #show(): void {
    this.#list.redraw();
    const [to, from] = [this.#versions[this.#to], this.#versions[this.#from]];
    if (to === undefined) return;
    fill(
      this.#compared,
      el('div', { class: 'compared-bar' }, el('h3', {}, `Revision ${count(to.modRevision)}`), this.#fromField()),
      from === undefined && to.kind === 'put' && to.version > 1
        ? [
            el('p', { class: 'hint' }, 'The version before it is no longer kept. This is the value:'),
            valueView(to.value),
          ]
        : diffView(valueAt(from), valueAt(to)),
    );
  }

  /** What the chosen version is compared with. */
  #fromField(): HTMLElement {
    const options = this.#versions.map((version, i) =>
      el('option', { value: i, selected: i === this.#from, disabled: i === this.#to }, nameOf(version)),
    );
    const before = el(
      'option',
      { value: this.#versions.length, selected: this.#from >= this.#versions.length },
      'nothing',
    );
    const select = el('select', {}, options, before);
    select.addEventListener('change', () => {
      this.#from = Number(select.value);
      this.#show();
      this.#compared.querySelector('select')?.focus();
    });
    return el('label', {}, el('span', {}, 'compared with'), select);
  }

  #row(version: KeyVersion): HTMLElement {
    const index = this.#versions.indexOf(version);
    const isDelete = version.kind === 'delete';
    const preview = isDelete ? 'deleted' : (textOf(version.value.subarray(0, 120)) ?? bytes(version.value.length));
    return el(
      'div',
      { class: `version-row ${version.kind}${index === this.#from ? ' from' : ''}` },
      el('span', { class: 'version-revision' }, `r${version.modRevision}`),
      el('span', { class: `badge ${version.kind}` }, isDelete ? 'delete' : `v${version.version}`),
      el('span', { class: 'version-preview' }, preview),
    );
  }
}

function valueAt(version: KeyVersion | undefined): Uint8Array | undefined {
  return version === undefined || version.kind === 'delete' ? undefined : version.value;
}

function nameOf({ kind, modRevision, version }: KeyVersion): string {
  return `revision ${count(modRevision)} (${kind === 'delete' ? 'deleted' : `v${version}`})`;
}
