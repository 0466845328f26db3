/**
 * The hand-made layouts of commands, results and records: big-endian numbers, byte strings after their length.
 *
 * **Invariant:** a reader never looks beyond its bytes and never allocates more than they hold, whatever they say.
 */
export class ByteReader {
  readonly #bytes: Buffer;
  readonly #what: string;
  #at = 0;

  /** `what`: the name of the thing read, for errors. */
  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = asBuffer(bytes);
    this.#what = what;
  }

  u8(): number {
    return this.#bytes[this.#take(1)] as number;
  }

  u32(): number {
    return this.#bytes.readUInt32BE(this.#take(4));
  }

  /** A whole number of eight bytes, up to 2^53 - 1. */
  u64(): number {
    const at = this.#take(8);
    const value = readU64(this.#bytes, at);
    if (!Number.isSafeInteger(value)) throw this.malformed(`a number above 2^53 at byte ${at}`);
    return value;
  }

  /** Up to 2^64 - 1. */
  bigU64(): bigint {
    return this.#bytes.readBigUInt64BE(this.#take(8));
  }

  /** 0 or 1. */
  flag(): boolean {
    const flag = this.u8();
    if (flag > 1) throw this.malformed(`flag ${flag}`);
    return flag === 1;
  }

  /** After a flag that says whether it is there. */
  optional<T>(read: () => T): T | undefined {
    return this.flag() ? read() : undefined;
  }

  /** A view, not a copy. */
  bytes(): Buffer {
    const length = this.u32();
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  text(): string {
    const bytes = this.bytes();
    try {
      return utf8.decode(bytes);
    } catch {
      throw this.malformed(`text that is not UTF-8 before byte ${this.#at}`);
    }
  }

  /** Items after their count; each has to take at least `itemBytesMin` bytes. */
  list<T>(itemBytesMin: number, item: () => T): readonly T[] {
    const count = this.u32();
    if (count * itemBytesMin > this.#bytes.length - this.#at)
      throw this.malformed(`a list of ${count} items, cut short`);
    return Array.from({ length: count }, item);
  }

  /** Everything up to the end; a view, not a copy. */
  rest(): Buffer {
    return this.#bytes.subarray(this.#take(this.#bytes.length - this.#at));
  }

  /** True if nothing is left. */
  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  end(): void {
    if (!this.isAtEnd) throw this.malformed(`${this.#bytes.length - this.#at} bytes too many`);
  }

  malformed(problem: string): MalformedBytes {
    return new MalformedBytes(this.#what, problem);
  }

  #take(length: number): number {
    const at = this.#at;
    if (length > this.#bytes.length - at) throw this.malformed(`${length} bytes wanted at byte ${at}, beyond the end`);
    this.#at = at + length;
    return at;
  }
}

/** Writes what `ByteReader` reads. Grows when it has to; a right `capacity` saves the copy. */
export class ByteWriter {
  #bytes: Buffer;
  #at = 0;

  constructor(capacity = 256) {
    this.#bytes = Buffer.allocUnsafe(capacity);
  }

  u8(value: number): this {
    // The place first: to make it may take another buffer, and the left side would be that of before.
    const at = this.#reserve(1);
    this.#bytes[at] = value;
    return this;
  }

  u32(value: number): this {
    const at = this.#reserve(4);
    this.#bytes.writeUInt32BE(value, at);
    return this;
  }

  u64(value: number): this {
    const at = this.#reserve(8);
    writeU64(this.#bytes, value, at);
    return this;
  }

  bigU64(value: bigint): this {
    const at = this.#reserve(8);
    this.#bytes.writeBigUInt64BE(value, at);
    return this;
  }

  flag(value: boolean): this {
    return this.u8(value ? 1 : 0);
  }

  optional<T>(value: T | undefined, write: (value: T) => void): this {
    this.flag(value !== undefined);
    if (value !== undefined) write(value);
    return this;
  }

  bytes(value: Uint8Array): this {
    return this.u32(value.length).rest(value);
  }

  text(value: string): this {
    return this.bytes(Buffer.from(value, 'utf8'));
  }

  list<T>(items: readonly T[], item: (value: T) => void): this {
    this.u32(items.length);
    for (const value of items) item(value);
    return this;
  }

  rest(value: Uint8Array): this {
    const at = this.#reserve(value.length);
    this.#bytes.set(value, at);
    return this;
  }

  /** Everything written. The writer is not to be used after it. */
  finish(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  #reserve(length: number): number {
    const at = this.#at;
    this.#at += length;
    if (this.#at > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#at, this.#bytes.length * 2));
      larger.set(this.#bytes.subarray(0, at));
      this.#bytes = larger;
    }
    return at;
  }
}

/** Bytes that are not what they should be. Whoever reads them says what that means. */
export class MalformedBytes extends Error {
  override readonly name = 'MalformedBytes';

  constructor(what: string, problem: string) {
    super(`The ${what} is malformed: ${problem}.`);
  }
}

/** Written by a newer Balsa: only newer software can go on. */
export class UnknownFormat extends Error {
  override readonly name = 'UnknownFormat';

  constructor(what: string, found: number, known: number, where: 'log' | 'data' | 'sender') {
    super(
      `The ${what} has format ${found}; this software knows formats up to ${known}: it is older than the ${where}. ` +
        'Run this member with the version of Balsa that the newest member of the cluster has.',
    );
  }
}

/** Not checked for being a safe integer; see `ByteReader.u64`. */
export function readU64(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4);
}

export function writeU64(bytes: Buffer, value: number, at: number): void {
  bytes.writeUInt32BE(Math.floor(value / 2 ** 32), at);
  bytes.writeUInt32BE(value >>> 0, at + 4);
}

/** The same memory, with Buffer's methods. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
