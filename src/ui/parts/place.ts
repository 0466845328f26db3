import { keyText, parseKeyText } from '../model/key-text.ts';

export const viewNames = ['overview', 'keys', 'watch', 'leases', 'members'] as const;
export type ViewName = (typeof viewNames)[number];

/** Where the page is: what stands after the `#`, so that every place can be linked and gone back to. */
export interface Place {
  readonly view: ViewName;
  readonly parameters: Readonly<Record<string, string>>;
}

export function placeOf(hash: string): Place {
  const [, path = '', query = ''] = /^#?\/?([^?]*)\??(.*)$/.exec(hash) ?? [];
  const view = viewNames.find((name) => name === path) ?? 'overview';
  return { view, parameters: Object.fromEntries(new URLSearchParams(query)) };
}

export function hashOf(view: ViewName, parameters: Readonly<Record<string, string | undefined>> = {}): string {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined) as [string, string][];
  const query = new URLSearchParams(given);
  return `#/${view}${query.size > 0 ? `?${query}` : ''}`;
}

export function hashOfKey(key: Uint8Array, parameters: Readonly<Record<string, string>> = {}): string {
  return hashOf('keys', { prefix: keyText(key.slice(0, key.lastIndexOf(0x2f) + 1)), key: keyText(key), ...parameters });
}

/** A key in the address; undefined if there is none, or nobody could have meant it. */
export function keyParameter(place: Place, name: string): Uint8Array | undefined {
  try {
    const text = place.parameters[name];
    return text === undefined ? undefined : parseKeyText(text);
  } catch {
    return undefined;
  }
}

/** This page on another member; undefined where its URL is none that a browser should follow. */
export function memberPage(clientUrl: string | undefined): string | undefined {
  if (clientUrl === undefined || !/^https?:/.test(clientUrl) || !URL.canParse('ui/', clientUrl)) return undefined;
  return new URL('ui/', clientUrl).href;
}
