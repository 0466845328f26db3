import type { Clock } from '../base/clock.ts';
import type { KeyRange, KeyValue, RangeRequest, Revision, RevisionBounds } from '../contract/kv.ts';
import type { LeaseId, LeaseRecord } from '../contract/lease.ts';
import type { WatchRequest } from '../contract/watch.ts';
import type { EntryContext } from './apply.ts';
import type { Database } from './database.ts';
import type { MemberRecord } from './member-record.ts';
import type { RangeResult } from './range-collector.ts';
import type { CommandResult } from './result.ts';
import type { StoreExport } from './store-export.ts';
import type { StateHash } from './store-state.ts';
import type { StoreWatch, WatchHub, WatchSink } from './watch/hub.ts';

/**
 * The state machine of one group: an ordered, revisioned map of keys in LevelDB, with leases that keys may depend on.
 *
 * **Invariant:** its content is a function of the commands applied, in order. Applied changes collect in memory, where
 * reads see them at once, and go to LevelDB in synced batches together with the applied index.
 */
export interface Store {
  /** 1 when empty. */
  readonly revision: Revision;
  /** The oldest revision that can be read; 0 as long as nothing is compacted. */
  readonly compactRevision: Revision;
  /** The newest log index applied, in memory or on disk. */
  readonly appliedIndex: number;
  /** The newest applied index that LevelDB holds: the log is needed from there on. */
  readonly durableIndex: number;
  /** Keys at present. */
  readonly keyCount: number;
  /** Bytes of keys and values, past ones too until they are compacted: what counts against the quota. */
  readonly usedBytes: number;
  /** 0: no limit. */
  readonly quotaBytes: number;
  /** A write was refused for want of space, and there is none yet. */
  readonly isFull: boolean;
  readonly members: readonly MemberRecord[];
  /** As `0.2`: what all members understand, so that it may stand in the log. */
  readonly clusterVersion: string;
  /** Ids of all members that were ever removed: none of them is taken again. */
  readonly removedMembers: ReadonlySet<string>;
  /** Members whose state was found to differ, and what their hash should have been. */
  readonly corruptMembers: ReadonlyMap<string, StateHash>;
  readonly leases: ReadonlyMap<LeaseId, LeaseRecord>;
  /** Called with every lease that is granted, checkpointed or ended (`undefined`) by an entry, as it takes effect. */
  onLeaseChange: (id: LeaseId, lease: LeaseRecord | undefined) => void;
  /** Noted at the last `checkState` commands, oldest first. */
  readonly stateHashes: readonly StateHash[];

  /**
   * Applies the commands of the entry at `index`, which must be the next one; the results are in their order.
   * `undefined` for an entry without commands. Throws only for broken invariants, damaged values and commands of newer
   * software (`UnknownFormat`), and then the member has to stop. What an entry changed before it threw is seen by
   * readers, but never reaches the disk.
   *
   * Synchronous for all but commands that need an entry of their own (`needsOwnEntry`), which have to read ranges and
   * return a promise; the next entry has to wait for it (asserted). It rejects for the same reasons as the others throw,
   * and when a read of LevelDB fails.
   */
  apply(index: number, commands: undefined, context?: EntryContext): undefined;
  apply(
    index: number,
    commands: Uint8Array,
    context: EntryContext,
  ): readonly CommandResult[] | Promise<readonly CommandResult[]>;

  /** The present value of a key. Throws `DamagedValue` if its checksum is wrong. */
  get(key: Uint8Array): KeyValue | undefined;

  /**
   * The whole store as it is at this moment, or as it was at `revision` (from `compactRevision` to `revision`, asserted),
   * for as long as the view is open.
   */
  readView(revision?: Revision): ReadView;
  /** Views that are not closed yet. Only a leak leaves one open after the last reader is gone. */
  readonly openViews: number;
  /** As `openViews`. */
  readonly openExports: number;

  /**
   * All of what is durable now, while the store goes on. Rejects with `DamagedValue`. Close it: an open export keeps
   * LevelDB from reclaiming space.
   */
  openExport(): Promise<StoreExport>;

  /** Everything that happens to a range, from a revision on or from now. See `WatchSink`. */
  watch(request: WatchRequest, sink: WatchSink): StoreWatch;
  readonly watches: WatchHub;

  /** The keys that depend on a lease, in byte order. */
  leaseKeys(id: LeaseId): Promise<readonly Uint8Array[]>;

  /** Bytes of changes that are applied and not yet durable. */
  readonly bufferedBytes: number;
  /** Resolves when everything applied so far is durable. */
  flush(): Promise<void>;
  /** Resolves when at most that many bytes are not durable. */
  makeRoom(bytesMax: number): Promise<void>;
  /**
   * Reads every record of the group's and compares its checksum, a slice at a time, with a pause after each. Resolves
   * with how many there were; rejects with `DamagedValue`.
   */
  scrub(options: { readonly pauseMs: number; readonly signal: AbortSignal }): Promise<number>;
  /**
   * Rejects, once, when a write to LevelDB failed, or a read met a damaged record: the store is then poisoned and the
   * member has to stop.
   */
  readonly failed: Promise<never>;
  /** Flushes and closes; rejects if that failed. The database itself stays open. */
  close(): Promise<void>;
}

/** Consistent pages over one moment. Close it: an open view keeps LevelDB from reclaiming space. */
export interface ReadView {
  readonly revision: Revision;
  get(key: Uint8Array): Promise<KeyValue | undefined>;
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
   * The answer to a request in any order, with the count of the whole range; holds no more than `limit` key-values, and
   * no more than about `bytesMax` of them, at a time. `request.revision` is that of the view already.
   */
  list(request: RangeRequest, bytesMax: number): Promise<RangeResult>;
  /** Idempotent. Reads that are under way reject. */
  close(): Promise<void>;
}

export interface PageOptions {
  readonly limit: number;
  readonly bytesMax: number;
  /** Values are empty; the rest of a key-value is there. */
  readonly keysOnly: boolean;
  readonly reverse?: boolean;
  readonly bounds?: RevisionBounds | undefined;
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
  /** A batch became durable. */
  readonly onFlushed?: ((durationMs: number) => void) | undefined;
  /** Changes of the past that a watcher is read in one step; a few show what many hide. Default 1000. */
  readonly watchStepChanges?: number | undefined;
}
