import { BalsaError } from '../contract/errors.ts';

/** A key, a prefix or a bound of a range: text stands for its UTF-8 bytes. */
export type Key = string | Uint8Array;

const encoder = new TextEncoder();

export function bytesOf(text: string | Uint8Array): Uint8Array {
  return typeof text === 'string' ? encoder.encode(text) : text;
}

/**
 * The path of a key. Slashes are encoded too: URL parsers take `a/../b` and even `a/%2e%2e/b` for `b`, and would read or
 * write another key.
 *
 * @throws BalsaError `bad_request` for the keys that no URL can name.
 */
export function keyPath(key: Key): string {
  const bytes = bytesOf(key);
  const encoded = percentEncode(bytes);
  if (encoded === '')
    throw new BalsaError('bad_request', 'A key has at least one byte.', { extras: { parameter: 'key' } });
  if (encoded === '.' || encoded === '..') {
    throw new BalsaError(
      'bad_request',
      `The key "${encoded}" cannot be sent over HTTP: every URL parser takes it for a place in the path. Use another key.`,
      {
        extras: { parameter: 'key' },
      },
    );
  }
  return `/v1/kv/${encoded}`;
}

/** Percent-encodes all but the unreserved characters of RFC 3986, section 2.3; bytes need not be UTF-8. */
export function percentEncode(bytes: Uint8Array): string {
  let encoded = '';
  for (const byte of bytes) {
    const character = String.fromCharCode(byte);
    encoded += /[A-Za-z0-9._~-]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return encoded;
}
