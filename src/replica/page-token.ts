import { BalsaError } from '../contract/errors.ts';
import type { KeyRange, Revision, RevisionBounds } from '../contract/kv.ts';
import { limits } from '../contract/kv.ts';

/** A list that is read page by page, all pages at one revision. */
export interface PagedList {
  readonly revision: Revision;
  readonly range: KeyRange;
  readonly keysOnly: boolean;
  readonly order: 'asc' | 'desc';
  readonly bounds: RevisionBounds | undefined;
  /** Of the whole range. */
  readonly count: number;
}

/**
 * All that the next page needs: the list, and the key where the page begins (or, in reverse, before which it begins). The
 * server keeps nothing, so that any member can go on, for as long as the revision is not compacted.
 */
export function pageToken(list: PagedList, next: Uint8Array): string {
  const { revision, range, keysOnly, order, bounds, count } = list;
  const parts = [
    format,
    revision,
    encode(range.start),
    range.end === undefined ? null : encode(range.end),
    keysOnly,
    order,
    bounds ?? null,
    count,
    encode(next),
  ];
  return Buffer.from(JSON.stringify(parts), 'utf8').toString('base64url');
}

/** Rejects with `bad_request` what is no token. */
export function readPageToken(token: string): { readonly list: PagedList; readonly next: Uint8Array } {
  try {
    const parts: unknown = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
    if (!Array.isArray(parts) || parts.length !== 9 || parts[0] !== format) throw notToken();
    const [, revision, start, end, keysOnly, order, bounds, count, next] = parts as unknown[];
    return {
      list: {
        revision: readCount(revision, 1),
        range: { start: readKey(start), end: end === null ? undefined : readKey(end) },
        keysOnly: keysOnly === true,
        order: order === 'desc' ? 'desc' : 'asc',
        bounds: bounds === null ? undefined : readBounds(bounds),
        count: readCount(count, 0),
      },
      next: readKey(next),
    };
  } catch {
    throw notToken();
  }
}

function readBounds(bounds: unknown): RevisionBounds {
  if (typeof bounds !== 'object' || bounds === null) throw notToken();
  const known: { -readonly [Name in keyof RevisionBounds]: number } = {};
  for (const name of boundNames) {
    const bound = (bounds as Readonly<Record<string, unknown>>)[name];
    if (bound !== undefined) known[name] = readCount(bound, 0);
  }
  return known;
}

function readCount(value: unknown, min: number): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min) throw notToken();
  return value;
}

function readKey(text: unknown): Uint8Array {
  if (typeof text !== 'string') throw notToken();
  const key = Buffer.from(text, 'base64url');
  // A page in reverse ends before a key, and a prefix may be as long as one.
  if (key.length > limits.keyBytesMax + 1) throw notToken();
  return key;
}

function encode(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('base64url');
}

function notToken(): BalsaError {
  return new BalsaError('bad_request', '`after` must be the `next` of the page before, as it was given.', {
    extras: { parameter: 'after' },
  });
}

const format = 1;
const boundNames = ['minModRevision', 'maxModRevision', 'minCreateRevision', 'maxCreateRevision'] as const;
