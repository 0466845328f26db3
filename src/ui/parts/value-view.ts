import { bytes } from '../model/format.ts';
import { button } from './button.ts';
import { el, fill } from './dom.ts';
import { formatOf, type ValueFormat, valueText } from './value-text.ts';

/** More is drawn only when it is asked for: laying out a megabyte of text takes seconds. */
const shownMax = 100_000;
const names: Readonly<Record<ValueFormat, string>> = { text: 'Text', json: 'JSON', hex: 'Hex' };

/** A value, as what it is or as what one wants to see it. */
export function valueView(value: Uint8Array): HTMLElement {
  const text = el('pre', { class: 'value-text', tabindex: 0, 'aria-label': 'Value' });
  const rest = el('div', { class: 'value-rest' });
  const usual = formatOf(value);
  const formats: ValueFormat[] =
    usual === 'json' ? ['json', 'text', 'hex'] : usual === 'text' ? ['text', 'hex'] : ['hex'];
  const show = (format: ValueFormat): void => {
    const whole = valueText(value, format);
    text.classList.toggle('empty', value.length === 0);
    text.classList.toggle('hex', format === 'hex');
    text.textContent = value.length === 0 ? 'The value is empty.' : whole.slice(0, shownMax);
    const showAll = button(`Show all ${bytes(value.length)}`, () => {
      text.textContent = whole;
      fill(rest);
    });
    fill(rest, whole.length > shownMax && showAll);
  };
  show(usual);
  return el('div', { class: 'value' }, formats.length > 1 && formatChoice(formats, usual, show), text, rest);
}

export function formatChoice<Format extends ValueFormat>(
  formats: readonly Format[],
  chosen: Format,
  choose: (format: Format) => void,
): HTMLElement {
  return choice(
    'Shown as',
    formats.map((format) => [format, names[format]] as const),
    chosen,
    choose,
  );
}

/** A few buttons of which one is pressed. */
export function choice<Value extends string>(
  label: string,
  values: readonly (readonly [Value, string])[],
  chosen: Value,
  choose: (value: Value) => void,
): HTMLElement {
  const buttons = values.map(([value, name]) =>
    el(
      'button',
      {
        type: 'button',
        'aria-pressed': `${value === chosen}`,
        onclick: (event: MouseEvent) => {
          for (const other of buttons) other.setAttribute('aria-pressed', `${other === event.currentTarget}`);
          choose(value);
        },
      },
      name,
    ),
  );
  return el('div', { class: 'choice', role: 'group', 'aria-label': label }, ...buttons);
}
