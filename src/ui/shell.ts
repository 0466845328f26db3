import type { ClusterFeed } from './model/cluster-feed.ts';
import { iconButton } from './parts/button.ts';
import { el, fill, setText } from './parts/dom.ts';
import { type IconName, icon } from './parts/icon.ts';
import type { Notices } from './parts/notices.ts';
import { hashOf, memberPage, type ViewName, viewNames } from './parts/place.ts';
import { showShortcuts } from './shortcuts.ts';
import { chooseTheme, presentTheme, restoreTheme } from './theme.ts';
import { healthOf } from './views/health.ts';

const titles: Readonly<Record<ViewName, string>> = {
  overview: 'Overview',
  keys: 'Keys',
  watch: 'Watch',
  leases: 'Leases',
  members: 'Members',
};

/** What is around every view: where one can go, which member one asks, and whether it answers. */
export class Shell {
  readonly element: HTMLElement;
  readonly #feed: ClusterFeed;
  readonly #main = el('main', { id: 'main', tabindex: -1 });
  readonly #links = new Map<ViewName, HTMLAnchorElement>();
  readonly #member = el('span', { class: 'shell-member' });
  readonly #state = el('span', { class: 'shell-state', role: 'status' });
  readonly #banner = el('div', { class: 'banner', role: 'alert', hidden: true });
  readonly #theme: HTMLButtonElement;

  constructor(feed: ClusterFeed, notices: Notices) {
    this.#feed = feed;
    restoreTheme();
    this.#theme = iconButton('Light or dark', 'moon', () => this.toggleTheme());
    for (const name of viewNames) {
      this.#links.set(name, el('a', { href: hashOf(name) }, icon(name as IconName), el('span', {}, titles[name])));
    }
    this.element = el(
      'div',
      { class: 'shell' },
      el(
        'a',
        { class: 'skip', href: '#main', onclick: (event: MouseEvent) => this.#skip(event) },
        'Skip to the content',
      ),
      el(
        'aside',
        { class: 'side' },
        el('a', { class: 'brand', href: hashOf('overview') }, el('img', { src: 'icon.svg', alt: '' }), 'Balsa'),
        el('nav', { 'aria-label': 'Views' }, [...this.#links.values()]),
        el(
          'footer',
          {},
          el('div', { class: 'shell-where' }, this.#state, this.#member),
          el('div', { class: 'shell-tools' }, this.#theme, iconButton('Keyboard', 'keyboard', showShortcuts)),
        ),
      ),
      el('div', { class: 'content' }, this.#banner, this.#main),
      notices.element,
    );
    this.#showTheme();
    feed.subscribe(() => this.#update(), new AbortController().signal);
  }

  show(name: ViewName, element: HTMLElement): void {
    for (const [other, link] of this.#links) {
      if (other === name) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
    document.title = `${titles[name]} · Balsa`;
    fill(this.#main, element);
    this.#main.scrollTop = 0;
  }

  toggleTheme(): void {
    chooseTheme(presentTheme() === 'dark' ? 'light' : 'dark');
    this.#showTheme();
  }

  #showTheme(): void {
    fill(this.#theme, icon(presentTheme() === 'dark' ? 'sun' : 'moon'));
  }

  #skip(event: MouseEvent): void {
    event.preventDefault();
    this.#main.focus();
  }

  #update(): void {
    const { snapshot, failure } = this.#feed;
    const health = healthOf(this.#feed);
    this.#state.className = `shell-state ${health.level}`;
    setText(this.#state, health.word);
    if (snapshot !== undefined) setText(this.#member, `${snapshot.status.name} · ${location.host}`);
    else setText(this.#member, location.host);
    this.#banner.hidden = failure === undefined;
    if (failure === undefined) return;
    const others = snapshot?.cluster.members.filter(({ id }) => id !== snapshot.status.memberId) ?? [];
    const seen = snapshot === undefined ? '' : ' What you see is the last that it told.';
    fill(
      this.#banner,
      icon('alert'),
      el('p', {}, el('strong', {}, failure), `${seen} It is asked again every two seconds.`),
      others
        .map(({ name, clientUrls }) => ({ name, page: memberPage(clientUrls[0]) }))
        .map(({ name, page }) => page !== undefined && el('a', { class: 'button plain', href: page }, `Open ${name}`)),
    );
  }
}
