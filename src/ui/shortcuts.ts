import { button, iconButton } from './parts/button.ts';
import { el } from './parts/dom.ts';
import { hashOf, type ViewName, viewNames } from './parts/place.ts';

export interface ShortcutActions {
  readonly go: (hash: string) => void;
  readonly search: () => void;
  readonly toggleTheme: () => void;
}

const viewLetters: Readonly<Record<string, ViewName>> = Object.fromEntries(
  viewNames.map((name) => [name.slice(0, 1), name]),
);
const pairMs = 1500;

/** Keys for those who leave the mouse alone. Nothing happens while one writes into a field. */
export function watchShortcuts({ go, search, toggleTheme }: ShortcutActions): void {
  let begunAt = Number.NEGATIVE_INFINITY;
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isTyping(event)) return;
    const view = event.timeStamp - begunAt < pairMs ? viewLetters[event.key] : undefined;
    begunAt = event.key === 'g' ? event.timeStamp : Number.NEGATIVE_INFINITY;
    if (view !== undefined) go(hashOf(view));
    else if (event.key === '/') search();
    else if (event.key === 't') toggleTheme();
    else if (event.key === '?') showShortcuts();
    else return;
    event.preventDefault();
  });
}

function isTyping({ target }: KeyboardEvent): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.closest('input, textarea, select, dialog') !== null;
}

const shortcuts: readonly (readonly [string, string])[] = [
  ['g o', 'Overview'],
  ['g k', 'Keys'],
  ['g w', 'Watch'],
  ['g l', 'Leases'],
  ['g m', 'Members'],
  ['/', 'Search, or the first field of the view'],
  ['↑ ↓', 'Move in a list; also Page up, Page down, Home, End'],
  ['Enter', 'Open'],
  ['Backspace', 'Keys: up a prefix'],
  ['e', 'Keys: edit the open key'],
  ['n', 'Keys: new key'],
  ['t', 'Light or dark'],
  ['Esc', 'Close'],
];

export function showShortcuts(): void {
  const dialog: HTMLDialogElement = el(
    'dialog',
    { 'aria-labelledby': 'shortcuts-title' },
    el(
      'header',
      {},
      el('h2', { id: 'shortcuts-title' }, 'Keyboard'),
      iconButton('Close', 'close', () => dialog.close()),
    ),
    el(
      'dl',
      { class: 'shortcuts' },
      shortcuts.map(([keys, what]) => [
        el(
          'dt',
          {},
          keys.split(' ').map((key) => el('kbd', {}, key)),
        ),
        el('dd', {}, what),
      ]),
    ),
    el(
      'footer',
      {},
      button('Close', () => dialog.close()),
    ),
  );
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
