import { assert } from '../base/assert.ts';
import type { Clock } from '../base/clock.ts';
import { breathe } from './breathe.ts';
import type { Database } from './database.ts';
import { KeySpace, type TableRange } from './key-space.ts';
import { checkSealOnly } from './sealed.ts';
import { decodeState, type StoreState, stateKey } from './store-state.ts';
import { readRecordHead, recordHeadBytes, streamedRecordBytesMax } from './stream-layout.ts';

/** Takes in what a `StoreExport` gave out. */
export interface StoreImport {
  /**
   * The next bytes of the stream. Resolves when they are durable, but for the beginning of a record that is cut off by
   * the end of the chunk. One call at a time. Rejects with `MalformedStream` or `DamagedValue`: then the database is
   * rubbish.
   */
  write(chunk: Uint8Array): Promise<void>;
  /**
   * The stream is complete. Only now the record is written without which a store does not open, so that a database which
   * opens holds all of the stream.
   */
  finish(): Promise<ImportedStore>;
}

export interface ImportedStore {
  readonly appliedIndex: number;
  readonly revision: number;
  readonly keyCount: number;
  /** See `StoreState`. */
  readonly hash: number;
  readonly records: number;
  readonly bytes: number;
}

/** The bytes are no export, or not the whole of one. */
export class MalformedStream extends Error {
  override readonly name = 'MalformedStream';

  constructor(problem: string, at: number) {
    super(`The data of the store is malformed at byte ${at}: ${problem}.`);
  }
}

/** Into a database that holds nothing of the group (asserted). */
export async function importing(database: Database, groupId: number, clock: Clock): Promise<StoreImport> {
  const { gte, lt } = new KeySpace(groupId).wholeGroup();
  const [stray] = await database.keys({ gte: gte.bytes, lt: lt.bytes, limit: 1 }).all();
  assert(stray === undefined, 'an import needs a database that is empty');
  return new DatabaseImport(database, groupId, clock);
}

type Batch = ReturnType<Database['batch']>;

class DatabaseImport implements StoreImport {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #group: TableRange;
  readonly #stateKey: Buffer;
  /** The beginning of a record whose end is still to come. */
  #partial: Buffer[] = [];
  #partialBytes = 0;
  /** What `#partial` has to grow to before it is worth a look. */
  #wantedBytes = recordHeadBytes;
  /** A view of the piece that it came in. */
  #previousKey: Buffer | undefined;
  #stateRecord: Buffer | undefined;
  #state: StoreState | undefined;
  #keys = 0;
  #records = 0;
  /** Of whole records. */
  #bytes = 0;
  #isComplete = false;
  #isOver = false;

  constructor(database: Database, groupId: number, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
    const keySpace = new KeySpace(groupId);
    this.#group = keySpace.wholeGroup();
    this.#stateKey = stateKey(keySpace).bytes;
  }

  async write(chunk: Uint8Array): Promise<void> {
    assert(!this.#isOver, 'an import that failed or ended takes no more');
    this.#isOver = true;
    this.#partial.push(Buffer.from(chunk));
    this.#partialBytes += chunk.length;
    if (this.#partialBytes >= this.#wantedBytes) await this.#writeRecords(joined(this.#partial));
    this.#isOver = false;
  }

  async finish(): Promise<ImportedStore> {
    assert(!this.#isOver, 'an import that failed or ended cannot be finished');
    this.#isOver = true;
    if (!this.#isComplete || this.#partialBytes > 0) throw new MalformedStream('it is cut off', this.#bytes);
    const [state, record] = [this.#state, this.#stateRecord];
    if (state === undefined || record === undefined) {
      throw new MalformedStream('the record of the state is missing', this.#bytes);
    }
    if (state.keyCount !== this.#keys) {
      throw new MalformedStream(`it holds ${this.#keys} keys, and says that it has ${state.keyCount}`, this.#bytes);
    }
    const batch = this.#database.batch();
    batch.put(this.#stateKey, record);
    await batch.write(synced);
    const { appliedIndex, revision, keyCount, hash } = state;
    return { appliedIndex, revision, keyCount, hash, records: this.#records, bytes: this.#bytes };
  }

  async #writeRecords(bytes: Buffer): Promise<void> {
    const batch = this.#database.batch();
    let at = 0;
    try {
      for (let length = this.#takeRecord(bytes, at, batch); length > 0; length = this.#takeRecord(bytes, at, batch)) {
        at += length;
        if (this.#records % recordsPerTurn === 0) await breathe(this.#clock);
      }
    } catch (reason) {
      await batch.close();
      throw reason;
    }
    const rest = bytes.subarray(at);
    this.#partial = rest.length === 0 ? [] : [Buffer.from(rest)];
    this.#partialBytes = rest.length;
    if (batch.length > 0) await batch.write(synced);
    else await batch.close();
  }

  /** Returns how many bytes it took: 0 if those at `at` are the beginning of a record, or none. */
  #takeRecord(bytes: Buffer, at: number, batch: Batch): number {
    const present = bytes.length - at;
    this.#wantedBytes = recordHeadBytes;
    if (present < recordHeadBytes) return 0;
    if (this.#isComplete) throw new MalformedStream('something follows its end', this.#bytes);
    const { keyBytes, recordBytes } = readRecordHead(bytes, at);
    if (keyBytes === 0) return this.#end(recordBytes);
    const length = recordHeadBytes + keyBytes + recordBytes;
    if (length > streamedRecordBytesMax) throw new MalformedStream(`a record of ${length} bytes`, this.#bytes);
    this.#wantedBytes = length;
    if (present < length) return 0;
    const recordAt = at + recordHeadBytes + keyBytes;
    const key = bytes.subarray(at + recordHeadBytes, recordAt);
    const record = bytes.subarray(recordAt, at + length);
    if (this.#accept(key, record)) batch.put(key, record);
    this.#bytes += length;
    return length;
  }

  #end(records: number): number {
    if (records !== this.#records % 2 ** 32) {
      throw new MalformedStream(`it holds ${this.#records} records, and its end says ${records}`, this.#bytes);
    }
    this.#isComplete = true;
    return recordHeadBytes;
  }

  /** False for the record that is written last. */
  #accept(key: Buffer, record: Buffer): boolean {
    if (this.#previousKey !== undefined && Buffer.compare(this.#previousKey, key) >= 0) {
      throw new MalformedStream('a record that does not follow the one before', this.#bytes);
    }
    if (Buffer.compare(key, this.#group.gte.bytes) < 0 || Buffer.compare(key, this.#group.lt.bytes) >= 0) {
      throw new MalformedStream('a record of another group', this.#bytes);
    }
    const table = KeySpace.tableOf(key);
    if (table === undefined) throw new MalformedStream('a record of an unknown table', this.#bytes);
    checkSealOnly(key, record);
    this.#previousKey = key;
    this.#records++;
    if (table === 'current') this.#keys++;
    if (Buffer.compare(key, this.#stateKey) !== 0) return true;
    this.#state = decodeState(key, record);
    this.#stateRecord = Buffer.from(record);
    return false;
  }
}

function joined(pieces: readonly Buffer[]): Buffer {
  const [only] = pieces;
  return only !== undefined && pieces.length === 1 ? only : Buffer.concat(pieces);
}

/** About two milliseconds. */
const recordsPerTurn = 500;
/** An option of LevelDB's that `abstract-level` passes on. */
const synced = { sync: true };
