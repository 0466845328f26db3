import { errorText, isAbort } from '../model/api.ts';
import { iconButton } from './button.ts';
import { el } from './dom.ts';
import { icon } from './icon.ts';

const shownMs = 6000;

/** Short words at the edge of the page on what was done, or why not. Failures stay until they are closed. */
export class Notices {
  readonly element: HTMLElement = el('div', { class: 'notices', role: 'status', 'aria-live': 'polite' });

  done(text: string): void {
    const notice = this.#show('done', text);
    setTimeout(() => notice.remove(), shownMs);
  }

  failed(what: string, reason: unknown): void {
    if (!isAbort(reason)) this.#show('failed', `${what}: ${errorText(reason)}`);
  }

  #show(kind: 'done' | 'failed', text: string): HTMLElement {
    const notice: HTMLElement = el(
      'div',
      { class: `notice ${kind}` },
      icon(kind === 'done' ? 'check' : 'alert'),
      el('p', {}, text),
      iconButton('Dismiss', 'close', () => notice.remove()),
    );
    this.element.append(notice);
    return notice;
  }
}
