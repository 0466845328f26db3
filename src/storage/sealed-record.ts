import { assert } from '../base/assert.ts';
import { crc32c } from '../base/checksum.ts';

/**
 * Builds a small record: a format version first, fields in a fixed order, and a crc32c over all of it at the end.
 * Numbers are unsigned and big-endian; texts are UTF-8 behind a length of two bytes.
 */
export class SealedRecordWriter {
  readonly #bytes: Buffer;
  #at = 0;

  /** `sizeMax` is room for the whole record. */
  constructor(formatVersion: number, sizeMax: number) {
    this.#bytes = Buffer.alloc(sizeMax);
    this.u8(formatVersion);
  }

  u8(value: number): this {
    this.#at = this.#bytes.writeUInt8(value, this.#at);
    return this;
  }

  u32(value: number): this {
    this.#at = this.#bytes.writeUInt32BE(value, this.#at);
    return this;
  }

  u64(value: number): this {
    assert(Number.isSafeInteger(value) && value >= 0, () => `${value} cannot be stored`);
    this.#at = this.#bytes.writeUInt32BE(Math.floor(value / 2 ** 32), this.#at);
    this.#at = this.#bytes.writeUInt32BE(value % 2 ** 32, this.#at);
    return this;
  }

  text(value: string): this {
    const length = Buffer.byteLength(value);
    assert(
      this.#at + 2 + length + 4 <= this.#bytes.length,
      () => `a text of ${length} bytes is too long for its record`,
    );
    this.#at = this.#bytes.writeUInt16BE(length, this.#at);
    this.#at += this.#bytes.write(value, this.#at);
    return this;
  }

  /** The finished record, exactly as long as its fields. */
  seal(): Buffer {
    return sealed(this.#bytes.subarray(0, this.#at + 4));
  }

  /** The finished record, filled up with zeros to the size given at the start. */
  sealPadded(): Buffer {
    return sealed(this.#bytes);
  }
}

function sealed(bytes: Buffer): Buffer {
  const end = bytes.length - 4;
  bytes.writeUInt32BE(crc32c(bytes, 0, 0, end), end);
  return bytes;
}

/** True if the checksum at the end fits; `false` for anything too short to be a record. */
export function isIntact(record: Buffer): boolean {
  const end = record.length - 4;
  return end >= 1 && crc32c(record, 0, 0, end) === record.readUInt32BE(end);
}

/**
 * Reads the fields of an intact record in the order they were written. Never throws: a field that is not there, or a
 * number above 2^53 - 1, makes `isValid` false.
 */
export class SealedRecordReader {
  readonly formatVersion: number;
  readonly #bytes: Buffer;
  #at = 1;
  #valid = true;

  private constructor(record: Buffer) {
    this.#bytes = record.subarray(0, record.length - 4);
    this.formatVersion = record[0] ?? 0;
  }

  /** `undefined` if the record is damaged. */
  static open(record: Buffer): SealedRecordReader | undefined {
    return isIntact(record) ? new SealedRecordReader(record) : undefined;
  }

  u32(): number {
    return this.#has(4) ? this.#bytes.readUInt32BE(this.#at - 4) : 0;
  }

  u64(): number {
    const high = this.u32();
    const low = this.u32();
    if (high >= 2 ** 21) this.#valid = false;
    return high * 2 ** 32 + low;
  }

  text(): string {
    const length = this.#has(2) ? this.#bytes.readUInt16BE(this.#at - 2) : 0;
    return this.#has(length) ? this.#bytes.toString('utf8', this.#at - length, this.#at) : '';
  }

  /** True if every field was there. */
  get isValid(): boolean {
    return this.#valid;
  }

  /** True if nothing is left. */
  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  #has(length: number): boolean {
    if (this.#at + length > this.#bytes.length) this.#valid = false;
    if (this.#valid) this.#at += length;
    return this.#valid;
  }
}
