import { errorText, isAbort } from '../model/api.ts';
import { textOf, toBase64 } from '../model/bytes.ts';
import { bytes, count } from '../model/format.ts';
import { keyText } from '../model/key-text.ts';
import { type KeyValue, readKey, swapDelete } from '../model/key-values.ts';
import { button, iconButton } from '../parts/button.ts';
import type { Context } from '../parts/context.ts';
import { copyText } from '../parts/copy.ts';
import { ask } from '../parts/dialog.ts';
import { diffView } from '../parts/diff-view.ts';
import { el, fill } from '../parts/dom.ts';
import { hashOf } from '../parts/place.ts';
import { emptyState, errorState, loadingState } from '../parts/states.ts';
import { choice, valueView } from '../parts/value-view.ts';
import { editKey } from './key-editor.ts';
import { keyHistory } from './key-history.ts';

export interface KeyDetailEvents {
  /** The key was written or deleted here. */
  readonly changed: () => void;
  readonly close: () => void;
}

/** One key: its value, its history, and what one can do with it. */
export class KeyDetail {
  readonly element: HTMLElement;
  readonly #context: Context;
  readonly #key: Uint8Array;
  readonly #events: KeyDetailEvents;
  readonly #facts = el('dl', { class: 'key-facts' });
  readonly #tools = el('div', { class: 'key-tools' });
  readonly #body = el('div', { class: 'key-body' });
  #tab: 'value' | 'history' = 'value';
  #kv: KeyValue | undefined;

  constructor(context: Context, key: Uint8Array, events: KeyDetailEvents) {
    this.#context = context;
    this.#key = key;
    this.#events = events;
    const tabs = [
      ['value', 'Value'],
      ['history', 'History'],
    ] as const;
    this.element = el(
      'article',
      { class: 'key-article' },
      el(
        'header',
        {},
        el('h2', { class: 'key-title' }, keyText(key)),
        iconButton('Copy the key', 'copy', () => this.#copy('the key', keyText(key))),
        iconButton('Close', 'close', events.close),
      ),
      this.#facts,
      el(
        'div',
        { class: 'key-bar' },
        choice('What is shown', tabs, this.#tab, (tab) => {
          this.#tab = tab;
          this.#showTab();
        }),
        this.#tools,
      ),
      this.#body,
    );
    void this.#read();
  }

  async #read(): Promise<void> {
    fill(this.#body, loadingState('Reading…'));
    try {
      this.#kv = (await readKey(this.#key, { signal: this.#context.signal })).kv;
    } catch (reason) {
      if (isAbort(reason)) return;
      const again = button('Try again', () => void this.#read(), { icon: 'refresh' });
      fill(this.#body, errorState('The key cannot be read', errorText(reason), again));
      return;
    }
    this.#showFacts();
    this.#showTab();
  }

  #showFacts(): void {
    const kv = this.#kv;
    const { go } = this.#context;
    fill(
      this.#tools,
      kv !== undefined &&
        iconButton('Copy the value', 'copy', () => this.#copy('the value', textOf(kv.value) ?? toBase64(kv.value))),
      iconButton('Watch this key', 'watch', () => go(hashOf('watch', { prefix: keyText(this.#key) }))),
      iconButton('Read again', 'refresh', () => void this.#read()),
      kv !== undefined && button('Delete', () => void this.#delete(kv), { icon: 'trash' }),
      button(kv === undefined ? 'Create' : 'Edit', () => void this.#edit(), {
        icon: 'edit',
        kind: 'primary',
        attributes: { 'data-act': 'edit' },
      }),
    );
    if (kv === undefined) {
      fill(this.#facts);
      return;
    }
    fill(
      this.#facts,
      fact('Revision', count(kv.modRevision)),
      fact('Version', count(kv.version)),
      fact('Created at', count(kv.createRevision)),
      fact('Size', bytes(kv.value.length)),
      fact('Lease', kv.lease === undefined ? 'none' : el('a', { href: hashOf('leases', { id: kv.lease }) }, kv.lease)),
    );
  }

  #showTab(): void {
    if (this.#tab === 'history') fill(this.#body, keyHistory(this.#context, this.#key));
    else if (this.#kv !== undefined) fill(this.#body, valueView(this.#kv.value));
    else {
      const help = 'It may have been deleted: its history tells. Create puts it anew.';
      fill(this.#body, emptyState('key', 'There is no such key now', el('p', {}, help)));
    }
  }

  async #edit(): Promise<void> {
    const written = await editKey(this.#context, { key: this.#key, kv: this.#kv });
    if (written === undefined) return;
    this.#events.changed();
    await this.#read();
  }

  async #delete(kv: KeyValue): Promise<void> {
    const isDone = await ask({
      title: 'Delete this key?',
      danger: true,
      action: 'Delete',
      content: [
        el('p', {}, 'It is deleted only if it is still at revision ', el('b', {}, count(kv.modRevision)), '.'),
        el('p', { class: 'key-shown' }, keyText(kv.key)),
        diffView(kv.value, undefined),
      ],
      act: async () => {
        const outcome = await swapDelete(kv.key, kv.modRevision);
        if (outcome.kind === 'done') return;
        const now =
          outcome.present === undefined ? 'it is gone already' : `it is at revision ${outcome.present.modRevision}`;
        throw new Error(`The key changed meanwhile: ${now}. Nothing was deleted. Close this, and look at it again.`);
      },
    });
    if (isDone) {
      this.#context.notices.done(`Deleted ${keyText(kv.key)}`);
      this.#events.changed();
    }
    await this.#read();
  }

  async #copy(what: string, text: string): Promise<void> {
    const { notices } = this.#context;
    if (await copyText(text)) notices.done(`Copied ${what}`);
    else notices.failed(`Copying ${what}`, 'The browser does not allow it here.');
  }
}

function fact(name: string, value: string | HTMLElement): HTMLElement {
  return el('div', {}, el('dt', {}, name), el('dd', {}, value));
}
