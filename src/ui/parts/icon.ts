import { svg } from './dom.ts';

/** Drawn on a grid of 24, with round strokes. */
const paths = {
  overview: 'M3 12h4l3-8 4 16 3-8h4',
  keys: 'M15.5 8.5a4.5 4.5 0 1 1-4.2 6.1L3 14.5v-3h2v2h3v-2h3.3A4.5 4.5 0 0 1 15.5 8.5zM16 13h.01',
  watch: 'M2 12s3.6-7 10-7 10 7 10 7-3.6 7-10 7-10-7-10-7zM12 9a3 3 0 1 1 0 6 3 3 0 0 1 0-6z',
  leases: 'M12 7v5l3 2M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18z',
  members: 'M5 4h14v6H5zM5 14h14v6H5zM8 7h.01M8 17h.01',
  folder: 'M3 6h6l2 2h10v11H3z',
  key: 'M6 4h9l4 4v12H6zM14 4v5h5',
  search: 'M11 4a7 7 0 1 1 0 14 7 7 0 0 1 0-14zM16 16l5 5',
  plus: 'M12 5v14M5 12h14',
  close: 'M6 6l12 12M18 6L6 18',
  edit: 'M4 20h4L19 9l-4-4L4 16zM13 7l4 4',
  trash: 'M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  refresh: 'M20 12a8 8 0 1 1-2.3-5.7M20 3v5h-5',
  sun: 'M12 8a4 4 0 1 1 0 8 4 4 0 0 1 0-8zM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6L19 19M19 5l-1.4 1.4M6.4 17.6L5 19',
  moon: 'M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z',
  keyboard: 'M3 6h18v12H3zM7 10h.01M11 10h.01M15 10h.01M17.5 10h.01M8 14h8',
  up: 'M12 19V5M6 11l6-6 6 6',
  pause: 'M9 5v14M15 5v14',
  play: 'M7 5l12 7-12 7z',
  alert: 'M12 4l9 16H3zM12 10v4M12 17h.01',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  crown: 'M4 18h16M4 15l-1-9 5 4 4-6 4 6 5-4-1 9z',
  external: 'M10 5H5v14h14v-5M14 4h6v6M20 4l-9 9',
  lock: 'M6 11h12v9H6zM9 11V8a3 3 0 0 1 6 0v3',
} as const;

export type IconName = keyof typeof paths;

/** Beside words that say the same: readers of the screen pass over it. */
export function icon(name: IconName): SVGElement {
  return svg('svg', { class: 'icon', viewBox: '0 0 24 24', 'aria-hidden': 'true' }, svg('path', { d: paths[name] }));
}
