import type { LogIndex } from '../raft/types.ts';

/**
 * Keys of the log: group u32, kind, and for an entry its index u64, all big-endian, so that the order of the keys is
 * the order of the entries. Every key carries its group, because one database will hold the logs of many.
 */
export type LogKey =
  | { readonly kind: 'header' }
  | { readonly kind: 'base' }
  | { readonly kind: 'entry'; readonly index: LogIndex }
  | { readonly kind: 'tail' };

/** In the order of iteration. Never reused. */
const kindBytes = { header: 0x10, base: 0x18, entry: 0x20, tail: 0x30 } as const;

export function headerKey(groupId: number): Buffer {
  return key(groupId, kindBytes.header, 5);
}

export function baseKey(groupId: number): Buffer {
  return key(groupId, kindBytes.base, 5);
}

export function tailKey(groupId: number): Buffer {
  return key(groupId, kindBytes.tail, 5);
}

export function entryKey(groupId: number, index: LogIndex): Buffer {
  const bytes = key(groupId, kindBytes.entry, 13);
  bytes.writeUInt32BE(Math.floor(index / 2 ** 32), 5);
  bytes.writeUInt32BE(index % 2 ** 32, 9);
  return bytes;
}

/** Every key of the group, known or not, lies from `gte` to `lte`. */
export function groupRange(groupId: number): { gte: Buffer; lte: Buffer } {
  return { gte: key(groupId, 0, 5), lte: Buffer.concat([key(groupId, 0xff, 5), Buffer.alloc(64, 0xff)]) };
}

/** `undefined` if this is no key of the log: something that was never written, so a sign of damage. */
export function parseLogKey(bytes: Buffer): LogKey | undefined {
  if (bytes.length === 5 && bytes[4] === kindBytes.header) return { kind: 'header' };
  if (bytes.length === 5 && bytes[4] === kindBytes.base) return { kind: 'base' };
  if (bytes.length === 5 && bytes[4] === kindBytes.tail) return { kind: 'tail' };
  if (bytes.length !== 13 || bytes[4] !== kindBytes.entry) return undefined;
  const high = bytes.readUInt32BE(5);
  return high < 2 ** 21 ? { kind: 'entry', index: high * 2 ** 32 + bytes.readUInt32BE(9) } : undefined;
}

function key(groupId: number, kind: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  bytes.writeUInt32BE(groupId, 0);
  bytes[4] = kind;
  return bytes;
}
