import type { IncomingHttpHeaders } from 'node:http';
import { BalsaError } from '../../contract/errors.ts';

/**
 * Refuses a POST that a browser sends for a page of somebody else. Such a page may send one to any address without
 * asking, also to a Balsa on its visitor's own machine, if the content type is that of a form; a PUT or DELETE it may
 * not. Programs other than browsers send none of these headers.
 */
export function refuseCrossOrigin({ host, origin, 'sec-fetch-site': site }: IncomingHttpHeaders): void {
  if (site === 'same-origin' || site === 'none') return;
  // Browsers from before `Sec-Fetch-Site` send an `Origin` with every POST.
  if (site === undefined && (origin === undefined || isOriginOf(origin, host))) return;
  throw new BalsaError('bad_request', 'A browser sent this for a page of another origin, which may not write here.', {
    extras: { parameter: site === undefined ? 'Origin' : 'Sec-Fetch-Site' },
  });
}

function isOriginOf(origin: string, host: string | undefined): boolean {
  const scheme = origin.indexOf('://');
  return scheme !== -1 && origin.slice(scheme + 3) === host;
}
