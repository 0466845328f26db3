import type { KeyValue, Revision } from '../contract/kv.ts';
import { readU64, UnknownFormat, writeU64 } from './byte-layout.ts';
import { DamagedValue } from './damaged-value.ts';
import { checkSeal, seal, sealBytes } from './sealed.ts';

export { DamagedValue } from './damaged-value.ts';

/** What the table `current` holds under a key. */
export interface CurrentRecord {
  readonly createRevision: Revision;
  readonly modRevision: Revision;
  readonly version: number;
  /** A view on the record's bytes when read; immutable by contract. */
  readonly value: Uint8Array;
}

/**
 *     0  u8   format
 *     1  u8   flags; bit 0 is kept for "a lease id of eight bytes follows the version"
 *     2  u64  create revision
 *    10  u64  mod revision
 *    18  u64  version
 *    26  …    value
 *    -4  u32  seal
 */
export function encodeRecord(key: Buffer, record: CurrentRecord): Buffer {
  const bytes = Buffer.allocUnsafe(headerBytes + record.value.length + sealBytes);
  bytes[0] = format;
  bytes[1] = 0;
  writeU64(bytes, record.createRevision, 2);
  writeU64(bytes, record.modRevision, 10);
  writeU64(bytes, record.version, 18);
  bytes.set(record.value, headerBytes);
  return seal(key, bytes);
}

/** Throws `DamagedValue` if the bytes are not what was written under that key, `UnknownFormat` if they are too new. */
export function decodeRecord(key: Buffer, bytes: Buffer): CurrentRecord {
  checkSeal(key, bytes, { what: 'value', format, bytesMin: headerBytes + sealBytes });
  const flags = bytes[1] as number;
  if (flags !== 0) throw new UnknownFormat(`value with flags ${flags}`, format + 1, format, 'data');

  const createRevision = readU64(bytes, 2);
  const modRevision = readU64(bytes, 10);
  const version = readU64(bytes, 18);
  const sensible = createRevision >= 1 && modRevision >= createRevision && version >= 1;
  if (!sensible || !Number.isSafeInteger(modRevision) || !Number.isSafeInteger(version)) {
    throw new DamagedValue(key, `its revisions are ${createRevision} and ${modRevision}, its version ${version}`);
  }
  return { createRevision, modRevision, version, value: bytes.subarray(headerBytes, bytes.length - sealBytes) };
}

export function toKeyValue(key: Uint8Array, record: CurrentRecord): KeyValue {
  return {
    key,
    value: record.value,
    createRevision: record.createRevision,
    modRevision: record.modRevision,
    version: record.version,
  };
}

const format = 1;
const headerBytes = 26;
