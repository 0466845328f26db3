import type { KeyValue, RangeRequest, RangeSort, RevisionBounds } from '../contract/kv.ts';
import { type CurrentRecord, toKeyValue } from './record.ts';
import { TopList } from './top-list.ts';

export interface RangeResult {
  readonly kvs: readonly KeyValue[];
  /** Of the whole range, whatever the limit and the bounds (as etcd). */
  readonly count: number;
  /** The limit cut the list. */
  readonly more: boolean;
  /** The bytes cut it. */
  readonly isTooLarge: boolean;
}

/** Makes the answer to a range request from the versions of its keys, which come in the order of the keys. */
export class RangeCollector {
  readonly #request: RangeRequest;
  readonly #top: TopList<KeyValue>;
  #count = 0;
  #listed = 0;

  constructor(request: RangeRequest, bytesMax: number) {
    const { limit, sort, order, keysOnly } = request;
    this.#request = request;
    const itemsMax = limit === 0 ? Number.POSITIVE_INFINITY : limit;
    const bytesOf = keysOnly ? (kv: KeyValue) => kvBytes(withoutValue(kv)) : kvBytes;
    this.#top = new TopList({ itemsMax, bytesMax }, bytesOf, before(sort, order));
  }

  add(key: Uint8Array, record: CurrentRecord): void {
    this.#count++;
    const { bounds, countOnly, keysOnly, sort } = this.#request;
    if (countOnly || (bounds !== undefined && !isWithin(record, bounds))) return;
    this.#listed++;
    // Its value decides the place of a key, also where only the key is wanted.
    this.#top.add(toKeyValue(key, keysOnly && sort !== 'value' ? withoutValue(record) : record));
  }

  result(): RangeResult {
    const { limit, keysOnly } = this.#request;
    const kvs = keysOnly ? this.#top.take().map(withoutValue) : this.#top.take();
    const wanted = limit === 0 ? this.#listed : Math.min(limit, this.#listed);
    return { kvs, count: this.#count, more: kvs.length < this.#listed, isTooLarge: kvs.length < wanted };
  }
}

export function isWithin(record: CurrentRecord, bounds: RevisionBounds): boolean {
  const { createRevision, modRevision } = record;
  return (
    modRevision >= (bounds.minModRevision ?? 0) &&
    modRevision <= (bounds.maxModRevision ?? Number.POSITIVE_INFINITY) &&
    createRevision >= (bounds.minCreateRevision ?? 0) &&
    createRevision <= (bounds.maxCreateRevision ?? Number.POSITIVE_INFINITY)
  );
}

export function withoutValue<T extends { readonly value: Uint8Array }>(versioned: T): T {
  return { ...versioned, value: noValue };
}

/** Two key-values are never equal in this order: keys differ. The order `desc` is the exact reverse of `asc`. */
export function before(sort: RangeSort, order: 'asc' | 'desc'): (a: KeyValue, b: KeyValue) => boolean {
  const compare = comparing(sort);
  return order === 'asc' ? (a, b) => compare(a, b) < 0 : (a, b) => compare(a, b) > 0;
}

function comparing(sort: RangeSort): (a: KeyValue, b: KeyValue) => number {
  if (sort === 'key') return (a, b) => Buffer.compare(a.key, b.key);
  if (sort === 'value') return (a, b) => Buffer.compare(a.value, b.value) || Buffer.compare(a.key, b.key);
  return (a, b) => a[sort] - b[sort] || Buffer.compare(a.key, b.key);
}

export function kvBytes(kv: KeyValue): number {
  return kv.key.length + kv.value.length + fixedBytes;
}

const noValue = new Uint8Array();
/** Revisions and version, so that a page of empty values is bounded too. */
const fixedBytes = 24;
