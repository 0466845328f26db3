import type { ClusterFeed } from '../model/cluster-feed.ts';
import type { Notices } from './notices.ts';
import type { Place } from './place.ts';

/** What every view has at hand. */
export interface Context {
  readonly feed: ClusterFeed;
  readonly notices: Notices;
  /** Aborted when the view is left. */
  readonly signal: AbortSignal;
  readonly go: (hash: string) => void;
}

export interface View {
  readonly element: HTMLElement;
  /** The address changed within the view. */
  readonly moved?: (place: Place) => void;
  /** The key `/`. */
  readonly search?: () => void;
}
