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
  told: Partial<ExportEvents> = {},
): Promise<StoreExport> {
  const events: ExportEvents = { onFailure: () => {}, onClose: () => {}, ...told };
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
      { keySpace, events },
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
    events.onFailure(reason);
    await snapshot.close();
    throw reason;
  }
}

interface ExportEvents {
  readonly onFailure: (reason: unknown) => void;
  readonly onClose: () => void;
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
  readonly #events: ExportEvents;
  readonly #iterator: AbstractIterator<Database, Buffer, Buffer>;
  /** What was read and is not given yet: parts of records, the first of them from `#partAt` on. */
  #parts: Buffer[] = [];
  #part = 0;
  #partAt = 0;
  #records = 0;
  #isAtEnd = false;
  #closing: Promise<void> | undefined;

  constructor(
    database: Database,
    snapshot: AbstractSnapshot,
    { keySpace, events }: { readonly keySpace: KeySpace; readonly events: ExportEvents },
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
    this.#events = events;
    const { gte, lt } = keySpace.wholeGroup();
    // classic-level's: what is read here is not read again soon, and a slice ends after that many bytes.
    const options = { fillCache: false, highWaterMarkBytes: sliceBytesMax };
    this.#iterator = database.iterator({ gte: gte.bytes, lt: lt.bytes, snapshot, ...options });
  }

  async next(bytesMax: number): Promise<Buffer | undefined> {
    const chunk = Buffer.allocUnsafe(bytesMax);
    let filled = 0;
    try {
      for (;;) {
        while (filled < bytesMax && this.#part < this.#parts.length) filled += this.#give(chunk, filled);
        if (filled === bytesMax || this.#isAtEnd) break;
        await this.#readSlice();
      }
    } catch (reason) {
      this.#events.onFailure(reason);
      throw reason;
    }
    return filled === 0 ? undefined : chunk.subarray(0, filled);
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    this.#parts = [];
    await this.#iterator.close();
    await this.#snapshot.close();
    this.#events.onClose();
  }

  /** Copies as much as there is room for: chunks of any size, from records of any size, with one copy and no garbage. */
  #give(chunk: Buffer, at: number): number {
    const part = this.#parts[this.#part] as Buffer;
    const copied = part.copy(chunk, at, this.#partAt);
    this.#partAt += copied;
    if (this.#partAt === part.length) {
      this.#part++;
      this.#partAt = 0;
    }
    return copied;
  }

  async #readSlice(): Promise<void> {
    const slice = await this.#iterator.nextv(sliceRecordsMax);
    this.#parts = [];
    this.#part = 0;
    this.#isAtEnd = slice.length === 0;
    if (this.#isAtEnd) this.#parts.push(writeEnd(this.#records));
    const heads = Buffer.allocUnsafe(slice.length * recordHeadBytes);
    for (const [i, [key, record]] of slice.entries()) {
      checkSealOnly(key, record);
      const head = heads.subarray(i * recordHeadBytes, (i + 1) * recordHeadBytes);
      writeRecordHead(head, key.length, record.length);
      this.#parts.push(head, key, record);
    }
    this.#records += slice.length;
  }
}

/** About a millisecond: what has arrived meanwhile has its turn between two slices. */
const sliceRecordsMax = 250;
const sliceBytesMax = 64 * 1024;
