import { ClusterFeed } from './model/cluster-feed.ts';
import type { Context, View } from './parts/context.ts';
import { Notices } from './parts/notices.ts';
import { placeOf, type ViewName } from './parts/place.ts';
import { Shell } from './shell.ts';
import { watchShortcuts } from './shortcuts.ts';
import { keysView } from './views/keys.ts';
import { leasesView } from './views/leases.ts';
import { membersView } from './views/members.ts';
import { overviewView } from './views/overview.ts';
import { watchView } from './views/watch.ts';

const views: Readonly<Record<ViewName, (context: Context) => View>> = {
  overview: overviewView,
  keys: keysView,
  watch: watchView,
  leases: leasesView,
  members: membersView,
};

const feed = new ClusterFeed();
const notices = new Notices();
const shell = new Shell(feed, notices);
let shown: { readonly name: ViewName; readonly view: View; readonly leave: AbortController } | undefined;

function go(hash: string): void {
  if (location.hash === hash) return;
  location.hash = hash;
}

function show(): void {
  const place = placeOf(location.hash);
  if (shown?.name !== place.view) {
    shown?.leave.abort();
    const leave = new AbortController();
    const view = views[place.view]({ feed, notices, signal: leave.signal, go });
    shown = { name: place.view, view, leave };
    shell.show(place.view, view.element);
  }
  shown.view.moved?.(place);
}

document.body.append(shell.element);
watchShortcuts({ go, search: () => shown?.view.search?.(), toggleTheme: () => shell.toggleTheme() });
window.addEventListener('hashchange', show);
show();
feed.start();
