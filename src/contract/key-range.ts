import type { KeyRange } from './kv.ts';

/** Every key that begins with `prefix`; an empty prefix is every key there is. */
export function prefixRange(prefix: Uint8Array): KeyRange {
  return { start: prefix, end: prefixEnd(prefix) };
}

/**
 * The first key after all that begin with `prefix`: the prefix plus one, read as a number. `a/` → `a0`; a final 0xff
 * carries (`61 ff` → `62`); after a prefix of nothing but 0xff comes no other key (`undefined`).
 */
export function prefixEnd(prefix: Uint8Array): Uint8Array | undefined {
  const last = prefix.findLastIndex((byte) => byte !== 0xff);
  if (last === -1) return undefined;
  // Not `slice`, which for a Buffer shares the memory.
  const end = new Uint8Array(prefix.subarray(0, last + 1));
  end[last] = (end[last] as number) + 1;
  return end;
}

/** The one key: up to its successor, which is the key with a zero byte behind it. */
export function keyRange(key: Uint8Array): KeyRange {
  const end = new Uint8Array(key.length + 1);
  end.set(key);
  return { start: key, end };
}

/** True for a range that holds one key, `start`, and could hold no other. */
export function isSingleKey({ start, end }: KeyRange): boolean {
  if (end?.length !== start.length + 1 || end[start.length] !== 0) return false;
  return start.every((byte, i) => byte === end[i]);
}
