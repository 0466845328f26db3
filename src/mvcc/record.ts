import type { KeyValue, Revision } from '../contract/kv.ts';
import type { LeaseId } from '../contract/lease.ts';
import { readU64, UnknownFormat, writeU64 } from './byte-layout.ts';
import { DamagedValue } from './damaged-value.ts';
import { checkForm, checkSealOnly, seal, sealBytes } from './sealed.ts';

export { DamagedValue } from './damaged-value.ts';

/** A version of a key. The table `current` holds the present ones; what was replaced or deleted is in `history`. */
export interface CurrentRecord {
  readonly createRevision: Revision;
  readonly modRevision: Revision;
  readonly version: number;
  readonly lease?: LeaseId | undefined;
  /** A view on the record's bytes when read; immutable by contract. */
  readonly value: Uint8Array;
}

/** A version that is no longer the present one. */
export interface PastRecord extends CurrentRecord {
  /** The revision that replaced or deleted it: it was there from `modRevision` up to, not including, this one. */
  readonly endRevision: Revision;
}

/**
 *     0  u8   format
 *     1  u8   flags; bit 0: it has a lease id; bit 1: it has an end revision
 *     2  u64  create revision
 *    10  u64  mod revision
 *    18  u64  version
 *        u64  lease id, if flagged
 *        u64  end revision, if flagged
 *        …    value
 *    -4  u32  seal
 */
export function encodeRecord(key: Buffer, record: CurrentRecord): Buffer {
  return encodeVersion(key, record, undefined);
}

export function encodePastRecord(key: Buffer, record: CurrentRecord, endRevision: Revision): Buffer {
  return encodeVersion(key, record, endRevision);
}

/** Throws `DamagedValue` if the bytes are not what was written under that key, `UnknownFormat` if they are too new. */
export function decodeRecord(key: Buffer, bytes: Buffer): CurrentRecord {
  checkSealOnly(key, bytes);
  return decodeSoundRecord(key, bytes);
}

/** As `decodeRecord`, for bytes whose seal need not be checked again. */
export function decodeSoundRecord(key: Buffer, bytes: Buffer): CurrentRecord {
  const { record, endRevision } = decodeVersion(key, bytes);
  if (endRevision !== undefined) throw new DamagedValue(key, 'a present value cannot have an end');
  return record;
}

/** As `decodeRecord`. */
export function decodePastRecord(key: Buffer, bytes: Buffer): PastRecord {
  checkSealOnly(key, bytes);
  const { record, endRevision } = decodeVersion(key, bytes);
  // At the same revision: a transaction has put and deleted it.
  if (endRevision === undefined || endRevision < record.modRevision) {
    throw new DamagedValue(key, `a past value of revision ${record.modRevision} cannot end at ${endRevision}`);
  }
  return { ...record, endRevision };
}

/** What a version takes in its table, about. */
export function recordBytes(keyBytes: number, valueBytes: number): number {
  return keyBytes + valueBytes + headerBytes + sealBytes;
}

export function toKeyValue(key: Uint8Array, record: CurrentRecord): KeyValue {
  const { value, createRevision, modRevision, version, lease } = record;
  if (lease === undefined) return { key, value, createRevision, modRevision, version };
  return { key, value, createRevision, modRevision, version, lease };
}

function encodeVersion(key: Buffer, record: CurrentRecord, endRevision: Revision | undefined): Buffer {
  const { lease, value } = record;
  const extraBytes = (lease === undefined ? 0 : 8) + (endRevision === undefined ? 0 : 8);
  const bytes = Buffer.allocUnsafe(headerBytes + extraBytes + value.length + sealBytes);
  bytes[0] = format;
  bytes[1] = (lease === undefined ? 0 : hasLease) | (endRevision === undefined ? 0 : hasEnd);
  writeU64(bytes, record.createRevision, 2);
  writeU64(bytes, record.modRevision, 10);
  writeU64(bytes, record.version, 18);
  let at = headerBytes;
  if (lease !== undefined) at = bytes.writeBigUInt64BE(lease, at);
  if (endRevision !== undefined) {
    writeU64(bytes, endRevision, at);
    at += 8;
  }
  bytes.set(value, at);
  return seal(key, bytes);
}

function decodeVersion(
  key: Buffer,
  bytes: Buffer,
): { readonly record: CurrentRecord; readonly endRevision: Revision | undefined } {
  checkForm(key, bytes, { what: 'value', format, bytesMin: headerBytes + sealBytes });
  const flags = bytes[1] as number;
  if ((flags & ~(hasLease | hasEnd)) !== 0) {
    throw new UnknownFormat(`value with flags ${flags}`, format + 1, format, 'data');
  }
  const extraBytes = (flags & hasLease ? 8 : 0) + (flags & hasEnd ? 8 : 0);
  if (bytes.length < headerBytes + extraBytes + sealBytes) throw new DamagedValue(key, 'it is cut short');

  const createRevision = readU64(bytes, 2);
  const modRevision = readU64(bytes, 10);
  const version = readU64(bytes, 18);
  const sensible = createRevision >= 1 && modRevision >= createRevision && version >= 1;
  if (!sensible || !Number.isSafeInteger(modRevision) || !Number.isSafeInteger(version)) {
    throw new DamagedValue(key, `its revisions are ${createRevision} and ${modRevision}, its version ${version}`);
  }
  const lease = flags & hasLease ? bytes.readBigUInt64BE(headerBytes) : undefined;
  const endRevision = flags & hasEnd ? readU64(bytes, headerBytes + extraBytes - 8) : undefined;
  const value = bytes.subarray(headerBytes + extraBytes, bytes.length - sealBytes);
  const content = { createRevision, modRevision, version, value };
  return { record: lease === undefined ? content : { ...content, lease }, endRevision };
}

const format = 1;
const headerBytes = 26;
const hasLease = 1;
const hasEnd = 2;
