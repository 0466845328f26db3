/** What a LevelDB manifest says about the directory, collected from its version edits (leveldb `db/version_edit.cc`). */
export interface Manifest {
  comparator: string | undefined;
  /** Journals of this number and above are still needed. */
  logNumber: number;
  /** One older journal that is needed too; 0 for none. LevelDB 1.20 does not write it any more. */
  previousLogNumber: number;
  nextFileNumber: number | undefined;
  /** Number and size in bytes of every table that is part of the database. */
  readonly tables: Map<number, number>;
}

export function emptyManifest(): Manifest {
  return { comparator: undefined, logNumber: 0, previousLogNumber: 0, nextFileNumber: undefined, tables: new Map() };
}

/** Takes one version edit into account; `false` if it is none. Never throws. */
export function applyVersionEdit(manifest: Manifest, edit: Buffer): boolean {
  const reader = new VarintReader(edit);
  const deleted: number[] = [];
  const added: [number: number, size: number][] = [];
  while (!reader.isAtEnd && reader.isValid) {
    const tag = reader.varint();
    if (tag === tags.comparator) manifest.comparator = reader.bytes().toString('latin1');
    else if (tag === tags.logNumber) manifest.logNumber = reader.varint();
    else if (tag === tags.previousLogNumber) manifest.previousLogNumber = reader.varint();
    else if (tag === tags.nextFileNumber) manifest.nextFileNumber = reader.varint();
    else if (tag === tags.lastSequence) reader.varint();
    else if (tag === tags.compactPointer) reader.skipLevelAndKey();
    else if (tag === tags.deletedFile) deleted.push(reader.afterLevel());
    else if (tag === tags.newFile) added.push(reader.newFile());
    else return false;
  }
  if (!reader.isValid) return false;
  // In LevelDB's order: a table that moves to another level is deleted and added by one edit.
  for (const number of deleted) manifest.tables.delete(number);
  for (const [number, size] of added) manifest.tables.set(number, size);
  return true;
}

const tags = {
  comparator: 1,
  logNumber: 2,
  nextFileNumber: 3,
  lastSequence: 4,
  compactPointer: 5,
  deletedFile: 6,
  newFile: 7,
  previousLogNumber: 9,
} as const;

/** Reads past the end, and numbers above 2^53 - 1, make `isValid` false instead of throwing. */
class VarintReader {
  readonly #bytes: Buffer;
  #at = 0;
  isValid = true;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  varint(): number {
    let value = 0;
    for (let scale = 1; scale < 2 ** 63; scale *= 128) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) break;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) this.isValid = false;
        return value;
      }
    }
    this.isValid = false;
    return 0;
  }

  bytes(): Buffer {
    const length = this.varint();
    const bytes = this.#bytes.subarray(this.#at, this.#at + length);
    if (bytes.length < length) this.isValid = false;
    this.#at += length;
    return bytes;
  }

  skipLevelAndKey(): void {
    this.varint();
    this.bytes();
  }

  afterLevel(): number {
    this.varint();
    return this.varint();
  }

  newFile(): [number: number, size: number] {
    const number = this.afterLevel();
    const size = this.varint();
    // The smallest and the largest key.
    this.bytes();
    this.bytes();
    return [number, size];
  }
}
