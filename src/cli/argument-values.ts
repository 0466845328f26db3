import { type LeaseId, parseLeaseId } from '../client/index.ts';
import { CommandError } from './exit-codes.ts';

/** `500ms`, `5s`, `1m`. */
export function milliseconds(flag: string, text: string): number {
  const [, number = '', unit = ''] = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m)$/.exec(text) ?? [];
  const duration = Number(number) * ({ ms: 1, s: 1000, m: 60_000 }[unit] ?? Number.NaN);
  if (duration > 0) return Math.ceil(duration);
  const words = flag === 'consistency' ? 'linearizable, stale or ' : '';
  throw new CommandError(`--${flag}: must be ${words}a time with its unit, such as 500ms or 5s, not "${text}"`);
}

/** A whole number above 0, such as a limit or a revision; `name` as it is written: `--limit`, `<revision>`. */
export function positive(name: string, text: string): number {
  if (/^\d{1,15}$/.test(text) && Number(text) > 0) return Number(text);
  throw new CommandError(`${name}: must be a whole number above 0, not "${text}"`);
}

export function leaseId(name: string, text: string): LeaseId {
  const id = parseLeaseId(text);
  if (id !== undefined) return id;
  throw new CommandError(`${name}: must be a lease id, up to 16 hexadecimal digits, not "${text}"`);
}

/** Peer URLs, separated by commas; what each has to be is for the cluster to say. */
export function peerUrls(text: string): readonly string[] {
  const urls = text
    .split(',')
    .map((url) => url.trim())
    .filter((url) => url !== '');
  const wrong = urls.find((url) => !/^https?:\/\/./.test(url) || !URL.canParse(url));
  if (urls.length > 0 && wrong === undefined) return urls;
  throw new CommandError(
    `--peer-urls: must be one or more URLs such as http://10.0.0.4:2380, separated by commas, not "${wrong ?? text}"`,
  );
}

/** An option of the client under its name there, or nothing if the flag was not given. */
export function given<Name extends string, Value>(
  name: Name,
  text: string | undefined,
  parse: (text: string) => Value,
): { readonly [name in Name]?: Value } {
  return text === undefined ? {} : ({ [name]: parse(text) } as { [name in Name]: Value });
}
