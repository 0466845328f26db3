import type { LeaseId, LeaseRecord } from '../contract/lease.ts';
import { ByteReader, ByteWriter } from './byte-layout.ts';
import { DamagedValue } from './damaged-value.ts';
import { type KeySpace, type TableKey, type TableRange, withoutPrefix } from './key-space.ts';
import { checkSeal, seal, sealBytes } from './sealed.ts';

export function leaseKey(keySpace: KeySpace, id: LeaseId): TableKey {
  return keySpace.key('leases', idBytes(id));
}

/** format u8, TTL in seconds u64, what is left of it as an optional u64, seal. The id is the key. */
export function encodeLease(tableKey: Buffer, { ttl, remaining }: LeaseRecord): Buffer {
  const writer = new ByteWriter(32).u8(format).u64(ttl);
  writer.optional(remaining, (seconds) => writer.u64(seconds));
  return seal(tableKey, writer.u32(0).finish());
}

export function decodeLease(tableKey: Buffer, bytes: Buffer): LeaseRecord {
  checkSeal(tableKey, bytes, { what: 'lease', format, bytesMin: 10 + sealBytes });
  try {
    const reader = new ByteReader(bytes.subarray(1, bytes.length - sealBytes), 'lease');
    const ttl = reader.u64();
    const remaining = reader.optional(() => reader.u64());
    reader.end();
    return { id: withoutPrefix(tableKey).readBigUInt64BE(0), ttl, remaining };
  } catch (reason) {
    throw new DamagedValue(tableKey, reason instanceof Error ? reason.message : String(reason));
  }
}

/** That a key belongs to a lease. */
export function leaseKeysKey(keySpace: KeySpace, id: LeaseId, key: Uint8Array): TableKey {
  return keySpace.key('leaseKeys', Buffer.concat([idBytes(id), key]));
}

export function leaseKeysRange(keySpace: KeySpace, id: LeaseId): TableRange {
  return keySpace.range('leaseKeys', { start: idBytes(id), end: idBytes(id + 1n) });
}

/** The key that belongs to the lease; a view. */
export function leasedKey(tableKey: Buffer): Buffer {
  return withoutPrefix(tableKey).subarray(8);
}

export function encodeLeaseKey(tableKey: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(1 + sealBytes);
  bytes[0] = format;
  return seal(tableKey, bytes);
}

function idBytes(id: LeaseId): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeBigUInt64BE(id);
  return bytes;
}

const format = 1;
