import { keyRange } from '../../../contract/key-range.ts';
import type { KeyRange, Revision } from '../../../contract/kv.ts';

/** `range_end` empty: the one key; a zero byte: all keys from `key` on. */
export function rangeOf({ key, rangeEnd }: { readonly key: Uint8Array; readonly rangeEnd: Uint8Array }): KeyRange {
  if (rangeEnd.length === 0) return keyRange(key);
  if (rangeEnd.length === 1 && rangeEnd[0] === 0) return { start: key, end: undefined };
  return { start: key, end: rangeEnd };
}

/** 0 and less: none. One that JavaScript cannot tell exactly lies in the future of any store. */
export function revisionOf(revision: bigint): Revision | undefined {
  return revision <= 0n ? undefined : clamped(revision);
}

export function clamped(number: bigint): number {
  return number > maxSafe ? Number.MAX_SAFE_INTEGER : Number(number);
}

const maxSafe = BigInt(Number.MAX_SAFE_INTEGER);
