import type { Clock } from '../base/clock.ts';
import type { Configuration, Entry, HardState, LogReader, MemberId } from '../raft/types.ts';
import type { Database } from './database.ts';
import type { Receipt, ReceiptStore } from './receipt.ts';

/** Everything of one `Ready` that has to be durable; becomes one LevelDB batch with one fsync. */
export interface PersistBatch {
  readonly hardState: HardState | undefined;
  /** Contiguous; replace whatever the log holds from the first one's index on. */
  readonly entries: readonly Entry[];
}

/** The durable log of one Raft group on one member. */
export interface RaftLog extends LogReader {
  /** What was found at open. */
  readonly hardState: HardState;
  readonly configuration: Configuration;
  /**
   * Resolves when the batch is durable; only then do `lastIndex()` and `entries()` show it. Entries that it replaces
   * are not shown any more from the call on. One at a time (asserted).
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
  /** The first configuration, written when the log is created. */
  readonly bootstrap: Configuration;
  /** Data bytes of the newest entries that are kept in memory for followers and apply. */
  readonly cacheBytes: number;
  /** There were receipts and they are gone: nothing but the log itself tells how far it reached, so it is a suspect's. */
  readonly receiptLost?: boolean;
  /** The log that this receipt belongs to is gone: an empty one of a suspect takes its place. */
  readonly beginAfter?: Receipt;
}
