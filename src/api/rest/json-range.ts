import { keyRange, prefixRange } from '../../contract/key-range.ts';
import type { KeyRange } from '../../contract/kv.ts';
import { bytesIn, bytesMembers, type JsonObject, type Place, placeIn, refusedAt } from './json-members.ts';

/** The members that name keys; each also as base64. */
export const rangeMembers = bytesMembers('key', 'prefix', 'start', 'end');

const noBytes = Buffer.alloc(0);

/** The range that `key`, `prefix`, or `start` and `end`, name; one of them must be there. `prefix: ""` is all keys. */
export function rangeIn(object: JsonObject, place: Place): KeyRange {
  const key = bytesIn(object, 'key', place);
  const prefix = bytesIn(object, 'prefix', place);
  const start = bytesIn(object, 'start', place);
  const end = bytesIn(object, 'end', place);
  const ways = Number(key !== undefined) + Number(prefix !== undefined) + Number((start ?? end) !== undefined);
  if (ways !== 1) {
    const problem = ways === 0 ? 'names no keys; it needs' : 'names keys in several ways; it takes only';
    throw refusedAt(place, `${problem} one of \`key\`, \`prefix\`, or \`start\` and \`end\``);
  }
  if (key !== undefined) return keyRange(notEmpty(key, 'key', place));
  if (prefix !== undefined) return prefixRange(prefix);
  if (end?.length === 0) throw refusedAt(placeIn(place, 'end'), 'is empty; leave it out to go to the last key');
  return { start: start ?? noBytes, end };
}

/** The range of a delete: a variable that was not set in some program must not empty the store. */
export function rangeToDeleteIn(object: JsonObject, place: Place): KeyRange {
  const range = rangeIn(object, place);
  if (range.start.length > 0) return range;
  throw refusedAt(place, 'needs a `prefix` or a `start` that is not empty; "start": "\\u0000" is all keys');
}

/** One key, which must be there. */
export function keyIn(object: JsonObject, place: Place): Buffer {
  const key = bytesIn(object, 'key', place);
  if (key === undefined) throw refusedAt(placeIn(place, 'key'), 'is missing');
  return notEmpty(key, 'key', place);
}

function notEmpty(key: Buffer, name: 'key', place: Place): Buffer {
  if (key.length > 0) return key;
  throw refusedAt(placeIn(place, name), 'is empty');
}
