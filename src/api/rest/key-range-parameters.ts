import { BalsaError } from '../../contract/errors.ts';
import { prefixRange } from '../../contract/key-range.ts';
import type { KeyRange } from '../../contract/kv.ts';
import { type Query, refused } from './query.ts';

const everything: KeyRange = { start: Buffer.alloc(0), end: undefined };

/** The range that `prefix`, or `start` and `end`, name; without any of them, all keys. */
export function rangeOf(query: Query): KeyRange {
  const prefix = query.bytes('prefix');
  const start = query.bytes('start');
  const end = query.bytes('end');
  if (prefix !== undefined) {
    if (start === undefined && end === undefined) return prefixRange(prefix);
    throw refused('prefix', 'and start or end exclude each other; send one of them');
  }
  if (end !== undefined && end.length === 0) throw refused('end', 'is empty; leave it out to go to the last key');
  if (start === undefined && end === undefined) return everything;
  return { start: start ?? everything.start, end };
}

/**
 * The range of a delete. It has to be named: `DELETE /v1/kv`, and `?prefix=$DIR` in a script where DIR is not set, must
 * not empty the store.
 */
export function rangeToDelete(query: Query): KeyRange {
  const range = rangeOf(query);
  if (range.start.length > 0) return range;
  throw new BalsaError(
    'bad_request',
    'A delete without a key needs a `prefix` or a `start` that is not empty. To delete all keys: ?start=%00.',
    { extras: { parameter: query.has('start') ? 'start' : 'prefix' } },
  );
}
