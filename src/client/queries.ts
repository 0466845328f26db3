import { BalsaError } from '../contract/errors.ts';
import { formatLeaseId } from '../contract/lease.ts';
import { bytesOf, percentEncode } from './key-path.ts';
import type { IdempotentOptions, KeyBounds, ListOptions, PutOptions, ReadOptions, WriteOptions } from './options.ts';
import type { Repetition } from './request.ts';

/** Query parameters; their values are percent-encoded already, because bytes need not be UTF-8. */
export type QueryParameters = Readonly<Record<string, string>>;

export function readQuery({ consistency = 'linearizable', revision }: ReadOptions): QueryParameters {
  const at: QueryParameters = revision === undefined ? {} : { revision: String(revision) };
  if (typeof consistency === 'string') return consistency === 'linearizable' ? at : { ...at, consistency };
  return { ...at, consistency: 'bounded', maxStaleness: `${consistency.maxStalenessMs}ms` };
}

/** Every range has to be named; the empty prefix is that of all keys. */
export function boundsQuery(bounds: KeyBounds): QueryParameters {
  const query: Record<string, string> = {};
  for (const name of ['prefix', 'start', 'end'] as const) {
    const bound = bounds[name];
    if (bound !== undefined) query[name] = percentEncode(bytesOf(bound));
  }
  return Object.keys(query).length === 0 ? { prefix: '' } : query;
}

/** For the first page of a list; `next` carries it to the others. */
export function shapeQuery(options: ListOptions): QueryParameters {
  const query: Record<string, string> = { encoding: 'base64' };
  if (options.keysOnly === true) query['keysOnly'] = 'true';
  for (const name of shapeNames) {
    const value = options[name];
    if (value !== undefined) query[name] = String(value);
  }
  return query;
}

const shapeNames = [
  'sort',
  'order',
  'minModRevision',
  'maxModRevision',
  'minCreateRevision',
  'maxCreateRevision',
] as const;

export function previousQuery(options: WriteOptions): QueryParameters {
  return options.previous === true ? { prevKv: 'true', encoding: 'base64' } : {};
}

export function leaseQuery({ lease }: PutOptions): QueryParameters {
  return lease === undefined ? {} : { lease: formatLeaseId(lease) };
}

export function conditionHeaders(options: WriteOptions): Readonly<Record<string, string>> {
  if (options.ifAbsent === true) return { 'if-none-match': '*' };
  if (options.ifMatch === undefined) return {};
  return { 'if-match': options.ifMatch === '*' ? '*' : `"${options.ifMatch}"` };
}

/**
 * How a write may be repeated, and the header that makes members know it again.
 *
 * @throws BalsaError `bad_request` for a key that a header cannot carry.
 */
export function idempotency({ idempotencyKey }: IdempotentOptions): {
  readonly repetition: Repetition;
  readonly idempotencyHeaders: Readonly<Record<string, string>>;
} {
  if (idempotencyKey === undefined) return { repetition: 'unsafe', idempotencyHeaders: {} };
  // `fetch` refuses some of the others, changes some, and joins what stands around a comma.
  if (!/^[\x21-\x2b\x2d-\x7e]{1,256}$/.test(idempotencyKey)) {
    throw new BalsaError(
      'bad_request',
      'The idempotency key must be 1 to 256 visible ASCII characters without commas, such as a UUID.',
      { extras: { parameter: 'idempotencyKey' } },
    );
  }
  return { repetition: 'recognized', idempotencyHeaders: { 'idempotency-key': idempotencyKey } };
}
