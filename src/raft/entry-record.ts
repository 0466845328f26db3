import { assert } from '../base/assert.ts';
import { crc32c } from '../base/checksum.ts';
import type { Entry, EntryType } from './types.ts';

/**
 * The bytes of one entry, the same on disk and between members. Big-endian, so that they read well in a dump:
 *
 *     0 format version │ 1 type │ 2 term u64 │ 10 index u64 │ 18 data length u32 │ 22 crc32c u32 │ 26 data
 *
 * The checksum covers everything but itself.
 */
const formatVersion = 1;
const checksumAt = 22;
/** Bytes of a record beside its data. */
export const entryRecordOverheadBytes = 26;

/** Codes are never reused: they stand in every log. */
const typeCodes: Readonly<Record<EntryType, number>> = { noop: 1, command: 2, configuration: 3 };
const types: readonly (EntryType | undefined)[] = [undefined, 'noop', 'command', 'configuration'];

/**
 * The record of an entry. An entry is encoded once, however many followers and disks it goes to: the result is kept
 * with the entry and shared by all callers, who must not change it.
 */
export function encodeEntry(entry: Entry): Buffer {
  const kept = KeptRecord.of(entry);
  if (kept !== undefined) return kept;
  const { term, index, type, data } = entry;
  assert(Number.isSafeInteger(term) && term > 0, () => `entry ${index} has the term ${term}`);
  assert(Number.isSafeInteger(index) && index > 0, () => `an entry has the index ${index}`);
  const record = Buffer.allocUnsafe(entryRecordOverheadBytes + data.length);
  record[0] = formatVersion;
  record[1] = typeCodes[type];
  writeUnsigned(record, 2, term);
  writeUnsigned(record, 10, index);
  record.writeUInt32BE(data.length, 18);
  record.set(data, entryRecordOverheadBytes);
  record.writeUInt32BE(checksumOf(record), checksumAt);
  new KeptRecord(entry, record);
  return record;
}

/**
 * The entry in a record from a disk or a peer, or `undefined` if the record is damaged or of an unknown format. The
 * entry refers to the record's memory, which therefore must not be used again, and it is not encoded a second time.
 */
export function decodeEntry(record: Uint8Array): Entry | undefined {
  if (record.length < entryRecordOverheadBytes) return undefined;
  const bytes = Buffer.isBuffer(record) ? record : Buffer.from(record.buffer, record.byteOffset, record.length);
  if (bytes[0] !== formatVersion) return undefined;
  if (bytes.readUInt32BE(18) !== bytes.length - entryRecordOverheadBytes) return undefined;
  if (bytes.readUInt32BE(checksumAt) !== checksumOf(bytes)) return undefined;
  const type = types[bytes[1] ?? 0];
  const term = readUnsigned(bytes, 2);
  const index = readUnsigned(bytes, 10);
  if (type === undefined || term === undefined || index === undefined || term === 0 || index === 0) return undefined;
  const entry: Entry = { term, index, type, data: bytes.subarray(entryRecordOverheadBytes) };
  new KeptRecord(entry, bytes);
  return entry;
}

/** The checksum inside a record, which stands for all of its content. */
export function entryChecksum(record: Buffer): number {
  return record.readUInt32BE(checksumAt);
}

function checksumOf(record: Uint8Array): number {
  return crc32c(record, crc32c(record, 0, 0, checksumAt), entryRecordOverheadBytes);
}

function writeUnsigned(record: Buffer, at: number, value: number): void {
  record.writeUInt32BE(Math.floor(value / 2 ** 32), at);
  record.writeUInt32BE(value % 2 ** 32, at + 4);
}

/** `undefined` above 2^53 - 1, where a JavaScript number would round. */
function readUnsigned(record: Buffer, at: number): number | undefined {
  const high = record.readUInt32BE(at);
  return high < 2 ** 21 ? high * 2 ** 32 + record.readUInt32BE(at + 4) : undefined;
}

/** A constructor that hands back the object it is given, so that a subclass adds its private field to that object. */
const Given = function given(target: object): object {
  return target;
} as unknown as new (
  target: object,
) => object;

/**
 * Keeps the record in a private field added to the entry itself: nobody else can see it, a comparison of two entries
 * is not disturbed by it, and it goes with the entry. A `WeakMap` does the same at eight times the cost (0.8 µs an
 * entry against 0.1 µs, most of it the garbage collector's).
 */
class KeptRecord extends Given {
  readonly #record: Buffer;

  constructor(entry: Entry, record: Buffer) {
    super(entry);
    this.#record = record;
  }

  static of(entry: Entry | KeptRecord): Buffer | undefined {
    return #record in entry ? entry.#record : undefined;
  }
}
