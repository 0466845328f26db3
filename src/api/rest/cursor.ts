import { crc32c } from '../../base/checksum.ts';
import type { KeyRange, RangeSort, Revision, RevisionBounds } from '../../contract/kv.ts';
import type { KeyValueFormat } from './key-value-json.ts';
import type { ParameterName } from './parameters.ts';
import { type Query, refused } from './query.ts';

/** What a list asks for, page after page. */
export interface ListShape extends KeyValueFormat {
  readonly range: KeyRange;
  readonly revision: Revision | undefined;
  readonly bounds: RevisionBounds;
  readonly countOnly: boolean;
  readonly sort: RangeSort;
  readonly order: 'asc' | 'desc';
}

/** What the pages after the first need to know of the list. */
export interface ListMark extends KeyValueFormat {
  /** Of the whole shape. */
  readonly digest: string;
}

const shapeParameters: readonly ParameterName[] = [
  'prefix',
  'start',
  'end',
  'revision',
  'minModRevision',
  'maxModRevision',
  'minCreateRevision',
  'maxCreateRevision',
  'keysOnly',
  'countOnly',
  'sort',
  'order',
  'encoding',
];

export function markOf(shape: ListShape): ListMark {
  const { keysOnly, encoding } = shape;
  return { keysOnly, encoding, digest: digest(shape) };
}

/**
 * `next` as clients see it: `<format>-<digest>-<the service's own>`. With the format in it, `after` can stand alone;
 * with the digest, a client may repeat the parameters of the first page, as a loop does, and is told if it mixed up
 * two lists.
 */
export function encodeCursor(next: string, mark: ListMark): string {
  const format = `${mark.keysOnly ? 'k' : 'v'}${mark.encoding === 'base64' ? 'b' : 'a'}`;
  return `${format}-${mark.digest}-${next}`;
}

/** `shape` is what the request says beside the cursor. */
export function parseCursor(cursor: string, query: Query, shape: ListShape): { next: string; mark: ListMark } {
  const [, keys, encoding, digested, next] = /^([kv])([ab])-([0-9a-z]{1,7})-(.+)$/.exec(cursor) ?? [];
  if (digested === undefined || next === undefined) {
    throw refused('after', 'must be the `next` of the page before, as it was given');
  }
  if (query.given(shapeParameters).length > 0 && digested !== digest(shape)) {
    throw refused('after', 'belongs to another list; repeat the parameters of its first page, or none of them');
  }
  return { next, mark: { keysOnly: keys === 'k', encoding: encoding === 'b' ? 'base64' : 'auto', digest: digested } };
}

function digest(shape: ListShape): string {
  const { range, revision, bounds, keysOnly, countOnly, sort, order, encoding } = shape;
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = bounds;
  const end = range.end === undefined ? '' : Buffer.from(range.end).toString('hex');
  const keys = [Buffer.from(range.start).toString('hex'), end, keysOnly, countOnly, sort, order, encoding];
  const revisions = [revision, minModRevision, maxModRevision, minCreateRevision, maxCreateRevision];
  const text = [...keys, ...revisions].join(' ');
  return crc32c(Buffer.from(text)).toString(36);
}
