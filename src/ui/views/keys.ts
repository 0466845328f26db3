import { equalBytes } from '../model/bytes.ts';
import { prefixAbove, prefixSteps } from '../model/key-list.ts';
import { keyText, parseKeyText } from '../model/key-text.ts';
import { button, iconButton } from '../parts/button.ts';
import type { Context, View } from '../parts/context.ts';
import { el, fill } from '../parts/dom.ts';
import { icon } from '../parts/icon.ts';
import { hashOf, keyParameter, type Place } from '../parts/place.ts';
import { emptyState } from '../parts/states.ts';
import { KeyBrowser } from './key-browser.ts';
import { KeyDetail } from './key-detail.ts';
import { editKey } from './key-editor.ts';

const none = new Uint8Array();

/** All keys, by prefix or by search, and one of them in full. */
export function keysView(context: Context): View {
  const { signal, go, notices } = context;
  let prefix: Uint8Array | undefined;
  let key: Uint8Array | undefined;

  const browser = new KeyBrowser({
    signal,
    openKey: (opened) => go(address(prefix ?? none, opened)),
    openPrefix: (opened) => go(address(opened, undefined)),
    up: () => prefix !== undefined && prefix.length > 0 && go(address(prefixAbove(prefix), undefined)),
    isOpen: (row) => key !== undefined && equalBytes(row, key),
  });
  const detail = el('section', { class: 'key-detail', 'aria-label': 'The open key' });
  const path = el('nav', { class: 'path', 'aria-label': 'Prefix' });
  const search = el('input', {
    type: 'search',
    placeholder: 'Search in the keys below, * stands for anything',
    'aria-label': 'Search in the keys below',
    spellcheck: 'false',
    autocomplete: 'off',
    onkeydown: (event: KeyboardEvent) => {
      if (event.key === 'ArrowDown') browser.focus();
      else if (event.key === 'Enter') browser.search(search.value);
      else if (event.key === 'Escape') search.value = '';
      else return;
      if (event.key === 'Escape') browser.search('');
      event.preventDefault();
    },
  });
  search.addEventListener(
    'input',
    debounced(() => browser.search(search.value), signal),
  );
  const element = el(
    'div',
    { class: 'view keys' },
    el(
      'section',
      { class: 'key-list', 'aria-label': 'Keys' },
      el(
        'header',
        {},
        el('h1', {}, 'Keys'),
        iconButton('Go to a prefix', 'edit', () => editPath()),
        iconButton('Read again', 'refresh', () => browser.reload()),
        button('New key', () => void create(), { icon: 'plus', kind: 'primary' }),
      ),
      path,
      el('div', { class: 'search-field' }, icon('search'), search),
      browser.element,
    ),
    detail,
  );
  element.addEventListener('keydown', (event) => {
    const typed = event.target instanceof Element && event.target.closest('input, textarea, select') !== null;
    if (typed || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'n') void create();
    else if (event.key === 'e') detail.querySelector<HTMLButtonElement>('[data-act="edit"]')?.click();
    else return;
    event.preventDefault();
  });

  async function create(): Promise<void> {
    const written = await editKey(context, { key: prefix ?? none, kv: undefined });
    if (written === undefined) return;
    browser.reload();
    go(address(prefix ?? none, written));
  }

  function editPath(): void {
    const input = el('input', { value: keyText(prefix ?? none), 'aria-label': 'Prefix', spellcheck: 'false' });
    const done = (): void => {
      try {
        const typed = parseKeyText(input.value);
        if (prefix !== undefined && equalBytes(typed, prefix)) showPath();
        else go(address(typed, undefined));
      } catch (reason) {
        notices.failed('This is no prefix', reason);
      }
    };
    input.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') done();
      else if (event.key === 'Escape') showPath();
    });
    fill(path, input, button('Go', done));
    input.focus();
    input.select();
  }

  function showPath(): void {
    const steps = prefixSteps(prefix ?? none);
    let from = 0;
    const links = steps.map((step, i) => {
      const name = keyText(step.subarray(from));
      from = step.length;
      const attributes = i === steps.length - 1 ? ({ 'aria-current': 'true' } as const) : {};
      return el('a', { href: address(step, undefined), ...attributes }, name);
    });
    fill(path, el('a', { href: address(none, undefined), class: 'path-root' }, 'all keys'), links);
  }

  function showDetail(): void {
    if (key === undefined) {
      const help = 'Its value, its history and what changed between two revisions are shown here.';
      fill(detail, emptyState('key', 'Choose a key', el('p', {}, help)));
      return;
    }
    const shown = key;
    const view = new KeyDetail(context, shown, {
      changed: () => browser.reload(),
      close: () => go(address(prefix ?? none, undefined)),
    });
    fill(detail, view.element);
  }

  return {
    element,
    search: () => search.focus(),
    moved: (place: Place) => {
      const asked = keyParameter(place, 'prefix') ?? none;
      const isOther = prefix === undefined || !equalBytes(asked, prefix);
      prefix = asked;
      if (isOther) {
        search.value = '';
        showPath();
        browser.show(prefix);
      }
      const opened = keyParameter(place, 'key');
      const isSame = key !== undefined && opened !== undefined && equalBytes(opened, key);
      key = opened;
      element.classList.toggle('has-key', key !== undefined);
      browser.redraw();
      if (!isSame) showDetail();
    },
  };
}

function address(prefix: Uint8Array, key: Uint8Array | undefined): string {
  return hashOf('keys', {
    prefix: prefix.length === 0 ? undefined : keyText(prefix),
    key: key === undefined ? undefined : keyText(key),
  });
}

function debounced(act: () => void, signal: AbortSignal): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  signal.addEventListener('abort', () => clearTimeout(timer));
  return () => {
    clearTimeout(timer);
    timer = setTimeout(act, 250);
  };
}
