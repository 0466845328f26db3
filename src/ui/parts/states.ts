import { type Child, el } from './dom.ts';
import { type IconName, icon } from './icon.ts';

/** What stands where there is nothing to show. */
export function emptyState(name: IconName, title: string, ...rest: readonly Child[]): HTMLElement {
  return el('div', { class: 'state' }, icon(name), el('p', { class: 'state-title' }, title), ...rest);
}

/** Why nothing can be shown. */
export function errorState(title: string, detail: string, ...rest: readonly Child[]): HTMLElement {
  return el(
    'div',
    { class: 'state error', role: 'alert' },
    icon('alert'),
    el('p', { class: 'state-title' }, title),
    el('p', {}, detail),
    ...rest,
  );
}

export function loadingState(what: string): HTMLElement {
  return el('div', { class: 'state loading', role: 'status' }, el('p', {}, what));
}
