import { crc32c } from '../base/checksum.ts';

/**
 * The file format of LevelDB's journals and manifests (leveldb `doc/log_format.md`, `db/log_reader.cc`): blocks of
 * 32 KiB with records that never cross a block. A record: masked crc32c u32, length u16, type u8 (all little-endian),
 * payload. A long record is cut into a first, middle ones and a last. Fewer than 7 bytes at the end of a block are zeros.
 */
export const journalBlockBytes = 32 * 1024;
const headerBytes = 7;
const recordTypes = { full: 1, first: 2, middle: 3, last: 4 } as const;

/** Sequence numbers that a batch behind a hole may be ahead: more than any journal holds. */
const sequencesAheadMax = 2 ** 32;
/** Bytes that the search behind a bad record checks; a bound for a file that is made to look like records everywhere. */
const searchedBytesMax = 2 ** 26;

/**
 * - `intact`: records up to the end.
 * - `torn`: something unreadable at the end, as a crash in the middle of a write leaves it, or as rot in the last batch
 *   looks: which of the two, only the receipt can tell.
 * - `damaged`: a later write stands behind the unreadable part, so this part was durable once.
 */
export interface JournalScan {
  readonly state: 'intact' | 'torn' | 'damaged';
  readonly records: number;
  /** Where reading stopped, and why; `undefined` if intact. */
  readonly problem: { readonly offset: number; readonly what: string } | undefined;
  /** Sequence number of the write that would follow; `undefined` if nothing was read, or for a manifest. */
  readonly nextSequence: number | undefined;
}

export interface JournalScanOptions {
  /** In a journal each record is a batch with a sequence number, and the numbers have no gap. */
  readonly content: 'batches' | 'versionEdits';
  /** The sequence number that the first batch must have, if it is known. */
  readonly nextSequence?: number | undefined;
  /** Gets each whole record up to the first problem; only for version edits, which are small. */
  readonly onRecord?: (payload: Buffer) => void;
}

/** Takes a file block by block. Never throws, whatever the bytes are, and keeps no more than one record's copy. */
export class JournalScanner {
  readonly #options: JournalScanOptions;
  #offset = 0;
  #records = 0;
  #nextSequence: number | undefined;
  #problem: { offset: number; what: string } | undefined;
  #isDamaged = false;
  #searchedBytes = 0;
  /** The fragments so far of a record that has begun; for batches only their first bytes. */
  #fragments: Buffer[] | undefined;
  #fragmentOffset = 0;

  constructor(options: JournalScanOptions) {
    this.#options = options;
    this.#nextSequence = options.nextSequence;
  }

  /** Every block but the last has 32 KiB. */
  push(block: Buffer): void {
    let at = 0;
    while (block.length - at >= headerBytes && !this.#isDamaged) {
      at = this.#problem === undefined ? this.#read(block, at) : this.#search(block, at);
    }
    // Fewer bytes than a header: the padding of a block, or the beginning of a header that was cut off.
    const rest = block.subarray(at);
    if (block.length < journalBlockBytes && rest.length > 0 && rest.length < headerBytes) {
      this.#stop(at, 'a record header is cut off');
    }
    this.#offset += block.length;
  }

  finish(): JournalScan {
    if (this.#fragments !== undefined && this.#problem === undefined) {
      this.#problem = { offset: this.#fragmentOffset, what: 'a record has no end' };
    }
    const state = this.#isDamaged ? 'damaged' : this.#problem === undefined ? 'intact' : 'torn';
    return { state, records: this.#records, problem: this.#problem, nextSequence: this.#nextSequence };
  }

  /** Reads the record at `at` and returns where the next one begins. */
  #read(block: Buffer, at: number): number {
    const record = parseRecord(block, at);
    if (typeof record === 'string') {
      this.#stop(at, record);
      return at;
    }
    const problem = this.#take(record, at);
    if (problem !== undefined) this.#stop(at, problem, true);
    return record.end;
  }

  /** Puts the records together; returns what is wrong with an intact record at this place. */
  #take({ type, payload }: JournalRecord, at: number): string | undefined {
    const begins = type === recordTypes.full || type === recordTypes.first;
    if (begins && this.#fragments !== undefined) return 'a record begins although the one before has no end';
    if (!begins && this.#fragments === undefined) return 'a record continues although none has begun';
    if (begins) this.#fragmentOffset = this.#offset + at;
    const fragments = this.#fragments ?? [];
    this.#fragments = fragments;
    // A batch begins with sequence number and count, and no more of it is needed. Copied: the block is used again.
    const isBatch = this.#options.content === 'batches';
    const isEnough = isBatch && lengthOf(fragments) >= batchHeaderBytes;
    if (!isEnough) fragments.push(Buffer.from(isBatch ? payload.subarray(0, batchHeaderBytes) : payload));
    if (type === recordTypes.first || type === recordTypes.middle) return undefined;
    this.#fragments = undefined;
    return this.#takeWhole(Buffer.concat(fragments));
  }

  #takeWhole(payload: Buffer): string | undefined {
    if (this.#options.content === 'versionEdits') {
      this.#options.onRecord?.(payload);
    } else {
      const batch = parseBatchHeader(payload);
      if (batch === undefined) return 'a record is too short for a batch';
      const expected = this.#nextSequence ?? batch.sequence;
      if (batch.sequence !== expected) return `batch ${batch.sequence} stands where ${expected} should follow`;
      this.#nextSequence = batch.sequence + batch.count;
    }
    this.#records++;
    return undefined;
  }

  /**
   * Behind the problem, nothing says where records begin: every place of a block is tried. What proves damage is the
   * beginning of a later write, because each write is durable before the next one starts. The rest of a write that was
   * cut off may well be there: a disk does not write its blocks in order.
   */
  #search(block: Buffer, at: number): number {
    const type = block[at + 6];
    if (type !== recordTypes.full && type !== recordTypes.first) return at + 1;
    const length = block.readUInt16LE(at + 4);
    if (at + headerBytes + length > block.length || !this.#isLaterWrite(block, at, length)) return at + 1;
    this.#searchedBytes += length;
    if (this.#searchedBytes > searchedBytesMax) {
      this.#isDamaged = true;
      return block.length;
    }
    const record = parseRecord(block, at);
    if (typeof record === 'string') return at + 1;
    this.#isDamaged = true;
    return record.end;
  }

  /** Cheap, and keeps a journal that somebody stored as a value from being taken for this one. */
  #isLaterWrite(block: Buffer, at: number, length: number): boolean {
    if (this.#options.content === 'versionEdits') return true;
    const batch = parseBatchHeader(block.subarray(at + headerBytes, at + headerBytes + length));
    if (batch === undefined) return false;
    const next = this.#nextSequence;
    return next === undefined || (batch.sequence > next && batch.sequence - next < sequencesAheadMax);
  }

  #stop(at: number, what: string, isDamaged = false): void {
    if (this.#problem !== undefined) return;
    this.#problem = { offset: this.#offset + at, what };
    this.#isDamaged = isDamaged;
    this.#fragments = undefined;
  }
}

interface JournalRecord {
  readonly type: number;
  readonly payload: Buffer;
  readonly end: number;
}

/** The record at this place of a block, or what is wrong with it. */
function parseRecord(block: Buffer, at: number): JournalRecord | string {
  const length = block.readUInt16LE(at + 4);
  const type = block[at + 6] ?? 0;
  const end = at + headerBytes + length;
  if (type === 0 && length === 0) return 'zeros stand where a record should be';
  if (end > block.length) return 'a record is longer than its block';
  if (crc32c(block, 0, at + 6, end) !== unmask(block.readUInt32LE(at))) return 'a record does not match its checksum';
  if (type > recordTypes.last) return `a record has the unknown type ${type}`;
  return { type, payload: block.subarray(at + headerBytes, end), end };
}

/** LevelDB stores checksums masked, so that a checksum over stored checksums is none of the trivial ones. */
function unmask(masked: number): number {
  const rotated = (masked - 0xa282ead8) >>> 0;
  return ((rotated >>> 17) | (rotated << 15)) >>> 0;
}

const batchHeaderBytes = 12;

/** The head of a LevelDB `WriteBatch`: sequence number u64, count u32, little-endian. */
function parseBatchHeader(payload: Buffer): { sequence: number; count: number } | undefined {
  if (payload.length < batchHeaderBytes) return undefined;
  const sequence = payload.readUInt32LE(4) * 2 ** 32 + payload.readUInt32LE(0);
  // LevelDB keeps eight of the 64 bits for itself; what is above 2^53 no database reaches.
  return sequence <= Number.MAX_SAFE_INTEGER ? { sequence, count: payload.readUInt32LE(8) } : undefined;
}

function lengthOf(pieces: readonly Buffer[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0);
}
