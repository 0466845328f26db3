import { BalsaError } from '../../contract/errors.ts';

/** All keys share one route: the router decodes UTF-8 only, and the bytes of a key can be anything. */
export const keyRoute = '/v1/kv/*';

/** The same route for people. */
export const keyPath = '/v1/kv/{key}';

const keyPrefix = '/v1/kv/';

/** What the request line asks for, still percent-encoded. */
export interface RequestTarget {
  readonly path: string;
  /** Without the question mark; empty if there is none. */
  readonly query: string;
}

/**
 * What the router sees of a URL: every key is the same path, so that no byte of a key can be refused, redirected or
 * mistaken for another route before `keyOf` reads it from the original.
 */
export function routedUrl(url: string): string {
  if (url.startsWith(keyPrefix)) return keyRoute;
  const origin = originForm(url);
  return origin.startsWith(keyPrefix) ? keyRoute : origin;
}

export function splitTarget(url: string): RequestTarget {
  const target = originForm(url);
  if (target.includes('#')) {
    throw new BalsaError('bad_request', 'The URL has a `#`, which ends a URL before it is sent; write it as %23.');
  }
  const mark = target.indexOf('?');
  return mark === -1 ? { path: target, query: '' } : { path: target.slice(0, mark), query: target.slice(mark + 1) };
}

/** The bytes of the key in a path of `keyRoute`: all that comes after its prefix. */
export function keyOf(path: string): Buffer {
  if (!path.startsWith(keyPrefix)) {
    throw new BalsaError('not_found', 'Write `/v1/kv/` without percent-encoding; only the key after it may have some.');
  }
  const key = percentDecode(path.slice(keyPrefix.length), 'key');
  if (key.length > 0) return key;
  throw new BalsaError(
    'bad_request',
    'The key is empty. Name it after /v1/kv/, or list keys with GET /v1/kv?prefix=.',
    {
      extras: { parameter: 'key' },
    },
  );
}

/**
 * The bytes behind percent-encoded text. What is not encoded stands for itself: ASCII, and the raw bytes that curl
 * sends for `/v1/kv/naïve` (Node hands them over as Latin-1, one character a byte).
 *
 * @throws BalsaError `bad_request` that names the parameter, where `%` is not followed by two hexadecimal digits.
 */
export function percentDecode(text: string, parameter: string): Buffer {
  let percent = text.indexOf('%');
  if (percent === -1) return Buffer.from(text, 'latin1');
  const bytes = Buffer.allocUnsafe(text.length);
  let length = 0;
  let from = 0;
  while (percent !== -1) {
    length += bytes.write(text.slice(from, percent), length, 'latin1');
    const high = hexDigit(text.charCodeAt(percent + 1));
    const low = hexDigit(text.charCodeAt(percent + 2));
    if (high === -1 || low === -1) throw malformed(text, percent, parameter);
    bytes[length++] = (high << 4) | low;
    from = percent + 3;
    percent = text.indexOf('%', from);
  }
  length += bytes.write(text.slice(from), length, 'latin1');
  return bytes.subarray(0, length);
}

/** `GET http://host/path` asks for `/path` (RFC 9112, 3.2.2). */
function originForm(url: string): string {
  if (url.charCodeAt(0) === 0x2f) return url;
  const authority = url.indexOf('://');
  if (authority === -1) return url;
  const path = url.indexOf('/', authority + 3);
  return path === -1 ? '/' : url.slice(path);
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

function malformed(text: string, percent: number, parameter: string): BalsaError {
  const sequence = text.slice(percent, percent + 3);
  return new BalsaError(
    'bad_request',
    `The percent-encoding of ${parameter} is malformed at "${sequence}": % needs two hexadecimal digits; write %25 for a percent sign.`,
    { extras: { parameter } },
  );
}
