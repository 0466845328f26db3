import { type Attributes, type Child, el } from './dom.ts';
import { type IconName, icon } from './icon.ts';

export interface ButtonOptions {
  readonly icon?: IconName;
  readonly kind?: 'plain' | 'primary' | 'danger' | 'quiet';
  readonly title?: string;
  readonly disabled?: boolean;
  /** Further attributes. */
  readonly attributes?: Attributes;
}

export function button(label: string, act: () => unknown, options: ButtonOptions = {}): HTMLButtonElement {
  return bare(label, act, options, [options.icon && icon(options.icon), el('span', {}, label)]);
}

/** A button that shows only an icon; its label is for readers of the screen, and on hovering. */
export function iconButton(
  label: string,
  name: IconName,
  act: () => unknown,
  options: ButtonOptions = {},
): HTMLButtonElement {
  const { attributes, ...rest } = options;
  const named = { 'aria-label': label, ...attributes };
  return bare(label, act, { title: label, kind: 'quiet', ...rest, attributes: named }, [icon(name)]);
}

function bare(
  _label: string,
  act: () => unknown,
  options: ButtonOptions,
  children: readonly Child[],
): HTMLButtonElement {
  const { kind = 'plain', title, disabled = false, attributes } = options;
  return el(
    'button',
    { type: 'button', class: `button ${kind}`, title, disabled, onclick: () => void act(), ...attributes },
    ...children,
  );
}
