import { equalBytes, utf8 } from '../model/bytes.ts';
import { count } from '../model/format.ts';
import { keyText, parseKeyText } from '../model/key-text.ts';
import { type KeyValue, swapValue } from '../model/key-values.ts';
import { button } from '../parts/button.ts';
import type { Context } from '../parts/context.ts';
import { ask, field } from '../parts/dialog.ts';
import { diffView } from '../parts/diff-view.ts';
import { el, fill } from '../parts/dom.ts';
import { formatOf, hexDigits, parseHex, type ValueFormat, valueText } from '../parts/value-text.ts';
import { formatChoice } from '../parts/value-view.ts';

export interface Edited {
  readonly key: Uint8Array;
  /** Undefined: there is none, and none may have come meanwhile. */
  readonly kv: KeyValue | undefined;
}

/**
 * Writes a value: first the editor, then what will change, then a compare-and-swap. If somebody else was quicker, the
 * dialog shows what is there now, and the next try is against that. Resolves with the key that was written.
 */
export async function editKey({ notices }: Context, edited: Edited): Promise<Uint8Array | undefined> {
  let { kv } = edited;
  const isNew = kv === undefined;
  const keyField = el('input', { value: keyText(edited.key), spellcheck: 'false', autocomplete: 'off' });
  const leaseField = el('input', {
    value: kv?.lease ?? '',
    spellcheck: 'false',
    autocomplete: 'off',
    pattern: '[0-9a-fA-F]{0,16}',
  });
  const input = new ValueInput(kv?.value ?? new Uint8Array());
  const review = el('div', { class: 'review', 'aria-live': 'polite' });
  const base = el('p', { class: 'hint' });
  const showBase = (): void => {
    const condition =
      kv === undefined
        ? 'Written only if there is no such key.'
        : `Written only if the key is still at revision ${count(kv.modRevision)}.`;
    fill(base, condition);
  };
  const showReview = (): void => {
    try {
      fill(review, diffView(kv?.value, input.value()));
    } catch {
      // The dialog says so when it is sent; meanwhile there is nothing to compare.
      fill(review);
    }
  };
  showBase();
  const details = el('details', {}, el('summary', {}, 'What will change'), review);
  details.addEventListener('toggle', showReview);
  input.element.addEventListener('input', () => details.open && showReview());
  let written: Uint8Array | undefined;
  const isDone = await ask({
    title: isNew ? 'New key' : 'Edit the value',
    wide: true,
    action: isNew ? 'Put' : 'Put if unchanged',
    content: [
      isNew
        ? field({ label: 'Key', hint: '\\xNN is a byte that is no text, \\\\ a backslash.' }, keyField)
        : el('p', { class: 'key-shown' }, keyText(edited.key)),
      input.element,
      field({ label: 'Lease', hint: 'The id of a lease that the key ends with; empty: none.' }, leaseField),
      base,
      details,
    ],
    act: async () => {
      const key = isNew ? parseKeyText(keyField.value) : edited.key;
      const value = input.value();
      const lease = leaseField.value.trim() || undefined;
      if (kv !== undefined && equalBytes(kv.value, value) && kv.lease === lease)
        throw new Error('Nothing has changed yet.');
      const outcome = await swapValue(key, kv?.modRevision ?? 0, value, lease);
      if (outcome.kind === 'done') {
        written = key;
        notices.done(`Put ${keyText(key)} at revision ${outcome.revision}`);
        return;
      }
      kv = outcome.present;
      showBase();
      details.open = true;
      showReview();
      const now = kv === undefined ? 'the key was deleted' : `the key is at revision ${kv.modRevision} now`;
      throw new Error(
        `Somebody was quicker: ${now}. Nothing was written. Below is what your value would change there; put again to write it.`,
      );
    },
  });
  return isDone ? written : undefined;
}

/** A text or bytes, to be changed. */
class ValueInput {
  readonly element: HTMLElement;
  readonly #area: HTMLTextAreaElement;
  #format: 'text' | 'hex';

  constructor(value: Uint8Array) {
    const usual: ValueFormat = formatOf(value);
    this.#format = usual === 'hex' ? 'hex' : 'text';
    this.#area = el('textarea', { rows: 10, spellcheck: 'false', 'aria-label': 'Value' });
    this.#area.value = this.#format === 'hex' ? hexDigits(value) : valueText(value, 'text');
    const formats = this.#format === 'hex' ? (['hex'] as const) : (['text', 'hex'] as const);
    const tidy = button('Indent JSON', () => this.#indent(), { kind: 'quiet' });
    this.element = el(
      'div',
      { class: 'value-input' },
      el(
        'div',
        { class: 'value-input-bar' },
        el('span', { class: 'label' }, 'Value'),
        tidy,
        formatChoice(formats, this.#format, (format) => this.#switch(format)),
      ),
      this.#area,
    );
  }

  /** @throws SyntaxError if what is written is not that format. */
  value(): Uint8Array {
    return this.#format === 'hex' ? parseHex(this.#area.value) : utf8(this.#area.value);
  }

  #switch(format: 'text' | 'hex'): void {
    const value = this.value();
    this.#format = format;
    this.#area.value = format === 'hex' ? hexDigits(value) : valueText(value, 'text');
  }

  #indent(): void {
    if (this.#format === 'hex') return;
    this.#area.value = valueText(utf8(this.#area.value), 'json');
    this.#area.dispatchEvent(new Event('input', { bubbles: true }));
  }
}
