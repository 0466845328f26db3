import type { KeyRange, KeyValue, RangeSort } from '../../src/contract/kv.ts';

/** Keys are bytes and nothing else, and a key sorts behind its own prefixes. Negative: `a` comes first. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b);
}

/** A range whose end is not behind its start holds no key. */
export function isInRange(key: Uint8Array, { start, end }: KeyRange): boolean {
  return compareBytes(key, start) >= 0 && (end === undefined || compareBytes(key, end) < 0);
}

/**
 * Ascending by the target, and by key where that is the same. etcd leaves the order of equals open (Go's `sort.Sort` is
 * not stable); a list in descending order is here the exact reverse of the ascending one.
 */
export function compareBy(sort: RangeSort): (a: KeyValue, b: KeyValue) => number {
  return (a, b) => compareTarget(sort, a, b) || compareBytes(a.key, b.key);
}

/** 0 for those that the target alone does not tell apart. */
export function compareTarget(sort: RangeSort, a: KeyValue, b: KeyValue): number {
  if (sort === 'key' || sort === 'value') return compareBytes(a[sort], b[sort]);
  return a[sort] - b[sort];
}
