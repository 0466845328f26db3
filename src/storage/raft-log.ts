import type { Clock } from '../base/clock.ts';
import type {
  Configuration,
  ConfigurationEntry,
  Entry,
  HardState,
  LogIndex,
  LogReader,
  MemberId,
  Snapshot,
} from '../raft/types.ts';
import type { Database } from './database.ts';
import type { Receipt, ReceiptStore } from './receipt.ts';

/** Everything of one `Ready` that has to be durable; becomes one LevelDB batch with one fsync. */
export interface PersistBatch {
  readonly hardState: HardState | undefined;
  /** Contiguous; replace whatever the log holds from the first one's index on. */
  readonly entries: readonly Entry[];
  /**
   * Entries up to this index are dropped with the batch, but no more than `droppedEntriesMax`: ask again with the next
   * one. They have to be durable here before, committed, and held by the store durably.
   */
  readonly dropTo?: LogIndex | undefined;
  /** Nothing of the log stays: it begins anew behind this place. `entries`, if there are any, follow it. */
  readonly snapshot?: Snapshot | undefined;
}

/** Dropped by one batch; each costs the event loop a few microseconds. */
export const droppedEntriesMax = 512;

/** The durable log of one Raft group on one member. */
export interface RaftLog extends LogReader {
  /** What was found at open. */
  readonly hardState: HardState;
  /** First the one in effect at `firstIndex() - 1`, then that of each configuration entry; never altered. */
  configurations(): readonly ConfigurationEntry[];
  /**
   * Resolves when the batch is durable; only then do `lastIndex()` and `entries()` show it. Entries that it replaces or
   * drops are not shown any more from the call on, and a snapshot's place is from then on the beginning. One at a time
   * (asserted).
   * A rejection poisons the log: every later call rejects, and the process has to end and reopen, because after one
   * failed append LevelDB acknowledges writes that it cannot recover.
   */
  persist(batch: PersistBatch): Promise<void>;
  /**
   * Waits for the write under way and brings the receipt up to date; then the log takes no more. The database and the
   * receipt store are closed by whoever opened them, after this.
   */
  close(): Promise<void>;
}

export interface RaftLogOptions {
  readonly groupId: number;
  readonly clusterId: string;
  readonly memberId: MemberId;
  readonly database: Database;
  readonly receipts: ReceiptStore;
  readonly clock: Clock;
  /** The first configuration, written when the log is created; without voters if others are to tell. */
  readonly bootstrap: Configuration;
  /** A log that is created begins behind this place, as that of a restored member does. */
  readonly base?: Snapshot;
  /** Data bytes of the newest entries that are kept in memory for followers and apply. */
  readonly cacheBytes: number;
  /** There were receipts and they are gone: nothing but the log itself tells how far it reached, so it is a suspect's. */
  readonly receiptLost?: boolean;
  /** The log that this receipt belongs to is gone: an empty one of a suspect takes its place. */
  readonly beginAfter?: Receipt;
}
