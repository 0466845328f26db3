import type { LogIndex, MemberId, Term } from '../raft/types.ts';
import type { LogHeader, Tail } from './log-records.ts';

/**
 * What the log last promised, kept outside LevelDB, because LevelDB can lose synced writes without a word. A log that
 * is found behind its receipt has lost acknowledged entries.
 */
export interface Receipt {
  readonly clusterId: string;
  readonly memberId: MemberId;
  /** Grows with every batch that the log persisted; the log's tail record holds the same count. */
  readonly sequence: number;
  readonly term: Term;
  readonly vote: MemberId | undefined;
  readonly lastIndex: LogIndex;
  readonly lastTerm: Term;
  /** The hash chain over all entries up to lastIndex. */
  readonly chain: number;
}

/** Where receipts are kept: a preallocated file in production, memory with faults in the simulator. */
export interface ReceiptStore {
  /**
   * Names this opening of the store, and of the log that it belongs to; never reused. Written with every receipt, so
   * that two processes on one directory notice each other.
   */
  readonly bootId: string;
  /** The newest receipt that is intact; `undefined` if none was ever written. Rejects if the store is damaged. */
  read(): Promise<Receipt | undefined>;
  /** Resolves when the receipt is durable. One write at a time. */
  write(receipt: Receipt): Promise<void>;
  close(): Promise<void>;
}

/** The receipt for the batch that wrote `tail`. */
export function receiptOf({ clusterId, memberId }: LogHeader, tail: Tail): Receipt {
  const { sequence, lastIndex, lastTerm, chain } = tail;
  const { term, vote } = tail.hardState;
  return { clusterId, memberId, sequence, term, vote, lastIndex, lastTerm, chain };
}
