import { crc32c } from '../base/checksum.ts';
import { UnknownFormat } from './byte-layout.ts';
import { DamagedValue } from './damaged-value.ts';

/**
 * Every record of every table starts with its format and ends with a crc32c over its database key and everything
 * before: LevelDB below does not check its blocks, and a key in the checksum shows a record that sits in another's
 * place. Later formats keep these two ends, so that software which is too old can still tell "newer" from "damaged".
 */
export const sealBytes = 4;

/** Fills in the last four bytes. */
export function seal(key: Buffer, record: Buffer): Buffer {
  const end = record.length - sealBytes;
  record.writeUInt32BE(crc32c(record, crc32c(key), 0, end), end);
  return record;
}

/** The checksum that a sealed record carries: it stands for the record's key and content. */
export function sealOf(record: Buffer): number {
  return record.readUInt32BE(record.length - sealBytes);
}

export interface RecordForm {
  readonly what: string;
  readonly format: number;
  readonly bytesMin: number;
}

/** Throws unless `record` was sealed under `key`, has a known format, and at least `bytesMin` bytes with the seal. */
export function checkSeal(key: Buffer, record: Buffer, form: RecordForm): void {
  checkSealOnly(key, record);
  checkForm(key, record, form);
}

/** As `checkSeal`, for a record whose seal was checked when LevelDB gave it, or that this process has written. */
export function checkForm(key: Buffer, record: Buffer, { what, format, bytesMin }: RecordForm): void {
  const found = record[0] as number;
  if (found > format) throw new UnknownFormat(what, found, format, 'data');
  if (found === 0 || record.length < bytesMin) throw new DamagedValue(key, `a ${what} cannot look so`);
}

/** As `checkSeal`, whatever the record is. */
export function checkSealOnly(key: Buffer, record: Buffer): void {
  const end = record.length - sealBytes;
  if (end < 1) throw new DamagedValue(key, `it has ${record.length} bytes`);
  const expected = record.readUInt32BE(end);
  const found = crc32c(record, crc32c(key), 0, end);
  if (found !== expected) throw new DamagedValue(key, `its checksum is ${hex(found)}, not ${hex(expected)}`);
}

function hex(checksum: number): string {
  return checksum.toString(16).padStart(8, '0');
}
