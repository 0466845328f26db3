import type { AbstractIterator, AbstractSnapshot } from 'abstract-level';
import type { Revision } from '../contract/kv.ts';
import { DamagedValue } from './damaged-value.ts';
import type { Database } from './database.ts';
import { KeySpace } from './key-space.ts';
import type { MemberRecord } from './member-record.ts';
import { decodeMember } from './members-table.ts';
import { checkSealOnly } from './sealed.ts';
import { decodeState, stateKey } from './store-state.ts';
import { recordHeadBytes, writeEnd, writeRecordHead } from './stream-layout.ts';

/** All records of a store as they were at one moment, as a stream of bytes, while the store goes on. */
export interface StoreExport {
  /** Everything up to this log index is in it, nothing behind it. */
  readonly appliedIndex: number;
  readonly revision: Revision;
  readonly compactRevision: Revision;
  readonly keyCount: number;
  /** See `StoreState`. */
  readonly hash: number;
  /** Of the keys and values, past ones too: about what is to come, for a progress bar. */
  readonly bytesExpected: number;
  readonly members: readonly MemberRecord[];
  /**
   * The next bytes, `bytesMax` but for the last ones; `undefined` at the end. One call at a time. Rejects with
   * `DamagedValue` if a record is damaged: then nothing of what was read is of any use.
   */
  next(bytesMax: number): Promise<Buffer | undefined>;
  /** An open export keeps LevelDB from reclaiming space. Idempotent. */
  close(): Promise<void>;
}

/**
 * Holds LevelDB's snapshot of what is durable now, until it is closed. Rejects with `DamagedValue` if the store is
 * damaged or there is none; `onFailure` is told of that too, then and later.
 */
export async function openExport(
  database: Database,
  groupId: number,
  onFailure: (reason: unknown) => void = () => {},
): Promise<StoreExport> {
  const keySpace = new KeySpace(groupId);
  const snapshot = database.snapshot();
  try {
    const key = stateKey(keySpace).bytes;
    const record = await database.get(key, { snapshot });
    if (record === undefined) throw new DamagedValue(key, 'it is missing');
    const { appliedIndex, revision, compactRevision, keyCount, hash, ...counted } = decodeState(key, record);
    const { gte, lt } = keySpace.wholeTable('members');
    const records = await database.iterator({ gte: gte.bytes, lt: lt.bytes, snapshot }).all();
    return new SnapshotExport(
      database,
      snapshot,
      { keySpace, onFailure },
      {
        appliedIndex,
        revision,
        compactRevision,
        keyCount,
        hash,
        bytesExpected: counted.liveBytes + counted.historyBytes - counted.compactedBytes,
        members: records.map(([memberKey, bytes]) => decodeMember(memberKey, bytes)),
      },
    );
  } catch (reason) {
    onFailure(reason);
    await snapshot.close();
    throw reason;
  }
}

type Facts = Omit<StoreExport, 'next' | 'close'>;

class SnapshotExport implements StoreExport {
  readonly appliedIndex: number;
  readonly revision: Revision;
  readonly compactRevision: Revision;
  readonly keyCount: number;
  readonly hash: number;
  readonly bytesExpected: number;
  readonly members: readonly MemberRecord[];
  readonly #snapshot: AbstractSnapshot;
  readonly #onFailure: (reason: unknown) => void;
  readonly #iterator: AbstractIterator<Database, Buffer, Buffer>;
  /** What was read and not given yet. */
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #records = 0;
  #isAtEnd = false;
  #closing: Promise<void> | undefined;

  constructor(
    database: Database,
    snapshot: AbstractSnapshot,
    { keySpace, onFailure }: { readonly keySpace: KeySpace; readonly onFailure: (reason: unknown) => void },
    facts: Facts,
  ) {
    this.appliedIndex = facts.appliedIndex;
    this.revision = facts.revision;
    this.compactRevision = facts.compactRevision;
    this.keyCount = facts.keyCount;
    this.hash = facts.hash;
    this.bytesExpected = facts.bytesExpected;
    this.members = facts.members;
    this.#snapshot = snapshot;
    this.#onFailure = onFailure;
    const { gte, lt } = keySpace.wholeGroup();
    // classic-level's: what is read here is not read again soon, and a slice ends after that many bytes.
    const options = { fillCache: false, highWaterMarkBytes: sliceBytesMax };
    this.#iterator = database.iterator({ gte: gte.bytes, lt: lt.bytes, snapshot, ...options });
  }

  async next(bytesMax: number): Promise<Buffer | undefined> {
    try {
      while (this.#waitingBytes < bytesMax && !this.#isAtEnd) await this.#readSlice();
    } catch (reason) {
      this.#onFailure(reason);
      throw reason;
    }
    if (this.#waitingBytes === 0) return undefined;
    const all = Buffer.concat(this.#waiting, this.#waitingBytes);
    const chunk = all.subarray(0, bytesMax);
    const rest = all.subarray(chunk.length);
    this.#waiting = rest.length === 0 ? [] : [Buffer.from(rest)];
    this.#waitingBytes = rest.length;
    return chunk;
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    this.#waiting = [];
    await this.#iterator.close();
    await this.#snapshot.close();
  }

  async #readSlice(): Promise<void> {
    const slice = await this.#iterator.nextv(sliceRecordsMax);
    if (slice.length === 0) {
      this.#isAtEnd = true;
      this.#give(writeEnd(this.#records));
      return;
    }
    this.#records += slice.length;
    for (const [key, record] of slice) {
      checkSealOnly(key, record);
      const head = Buffer.allocUnsafe(recordHeadBytes);
      writeRecordHead(head, key.length, record.length);
      this.#give(head, key, record);
    }
  }

  #give(...parts: readonly Buffer[]): void {
    for (const part of parts) {
      this.#waiting.push(part);
      this.#waitingBytes += part.length;
    }
  }
}

/** About a millisecond of checksums. */
const sliceRecordsMax = 1000;
const sliceBytesMax = 256 * 1024;
