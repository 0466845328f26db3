import type { Clock } from '../base/clock.ts';
import type { KeyRange, KeyValue, RangeSort, Revision } from '../contract/kv.ts';
import type { Database } from './database.ts';
import type { CommandResult } from './result.ts';

/** A member as the state machine knows it: the one source of who the members are. */
export interface MemberRecord {
  readonly id: string;
  readonly name: string;
  readonly peerUrls: readonly string[];
  /** Empty until the member has published them. */
  readonly clientUrls: readonly string[];
  /** Of the software it runs; empty until published. */
  readonly version: string;
}

/**
 * The state machine of one group: an ordered, revisioned map of keys in LevelDB.
 *
 * **Invariant:** its content is a function of the commands applied, in order. Applied changes collect in memory, where
 * reads see them at once, and go to LevelDB in synced batches together with the applied index.
 */
export interface Store {
  /** 1 when empty. */
  readonly revision: Revision;
  /** The newest log index applied, in memory or on disk. */
  readonly appliedIndex: number;
  /** The newest applied index that LevelDB holds: the log is needed from there on. */
  readonly durableIndex: number;
  /** Keys at present. */
  readonly keyCount: number;
  readonly members: readonly MemberRecord[];

  /**
   * Applies the commands of the entry at `index`, which must be the next one; the results are in their order.
   * `undefined` for an entry without commands. Throws only for broken invariants, damaged values and commands of newer
   * software (`UnknownFormat`), and then the member has to stop. What an entry changed before it threw is seen by
   * readers, but never reaches the disk.
   *
   * Synchronous for all but `deleteRange`, which has to list keys and returns a promise; the next entry has to wait
   * for it (asserted). It rejects for the same reasons as the others throw, and when a read of LevelDB fails.
   */
  apply(index: number, commands: undefined): undefined;
  apply(index: number, commands: Uint8Array): readonly CommandResult[] | Promise<readonly CommandResult[]>;

  /** The present value of a key. Throws `DamagedValue` if its checksum is wrong. */
  get(key: Uint8Array): KeyValue | undefined;

  /** The whole store as it is at this moment, for as long as the view is open. */
  readView(): ReadView;
  /** Views that are not closed yet. Only a leak leaves one open after the last reader is gone. */
  readonly openViews: number;

  /** Bytes of changes that are applied and not yet durable. */
  readonly bufferedBytes: number;
  /** Resolves when everything applied so far is durable. */
  flush(): Promise<void>;
  /** Rejects, once, when a write to LevelDB failed: the store is then poisoned and the member has to stop. */
  readonly failed: Promise<never>;
  /** Flushes and closes; rejects if that failed. The database itself stays open. */
  close(): Promise<void>;
}

/** Consistent pages over one moment. Close it: an open view keeps LevelDB from reclaiming space. */
export interface ReadView {
  readonly revision: Revision;
  /**
   * Key-values of the range in byte order of the keys; at most `limit` (0: all) and about `bytesMax` of keys and
   * values in one call, at least one if there is one. `next`: where the rest begins; undefined at the end. The next
   * page is that of `{ start: next, end }`, and in reverse that of `{ start, end: next }`.
   * Yields to the event loop between slices. Like everything that is read here, rejects with `DamagedValue` if a
   * checksum is wrong. What it returns belongs to the caller for as long as it likes, and is not to be written to.
   */
  page(
    range: KeyRange,
    options: PageOptions,
  ): Promise<{ readonly kvs: readonly KeyValue[]; readonly next: Uint8Array | undefined }>;
  /** Keys in the range. */
  count(range: KeyRange): Promise<number>;
  /**
   * The first `limit` (0: all) of the range in another order than the keys', holding no more than `limit` key-values
   * (and no more than about `bytesMax`) at a time; ties in byte order of the keys. `more`: the range holds more.
   */
  sorted(
    range: KeyRange,
    options: SortedOptions,
  ): Promise<{ readonly kvs: readonly KeyValue[]; readonly more: boolean }>;
  /** Idempotent. Reads that are under way reject. */
  close(): Promise<void>;
}

export interface PageOptions {
  readonly limit: number;
  readonly bytesMax: number;
  /** Values are empty; the rest of a key-value is there. */
  readonly keysOnly: boolean;
  readonly reverse?: boolean;
}

export interface SortedOptions {
  readonly limit: number;
  readonly bytesMax: number;
  readonly keysOnly: boolean;
  readonly sort: RangeSort;
  readonly order: 'asc' | 'desc';
}

export interface StoreOptions {
  /** Open, with keys and values as buffers (`keyEncoding: 'buffer', valueEncoding: 'buffer'`). */
  readonly database: Database;
  readonly groupId: number;
  readonly clock: Clock;
  /** The members at creation, from the first configuration; the same on every member. */
  readonly bootstrapMembers: readonly MemberRecord[];
  /** Applied changes wait at most that long for their batch. */
  readonly flushIntervalMs: number;
  /** …or until there are that many, */
  readonly flushChangesMax: number;
  /** …or that many bytes of them. */
  readonly flushBytesMax: number;
}
