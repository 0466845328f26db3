import type { Database, ReceiptStore } from '../storage/index.ts';

/** What a member keeps on its disk: directories in production, memory with faults in the simulator. */
export interface StateFiles {
  /** Rejects with `DamagedStorage` if the files are not whole. */
  openDatabase(kind: 'log' | 'data'): Promise<Database>;
  /** Rejects with `DamagedStorage` if there are receipts and none is intact. */
  openReceipts(): Promise<ReceiptStore>;
  /**
   * Moves what is there out of the way, for people to look at; the next opening finds nothing. Resolves with its new
   * place when that is durable. Harmless if nothing is there.
   */
  setAside(what: 'log' | 'data' | 'receipt'): Promise<string>;
  /** Where a snapshot comes in: `fresh`, empty, whatever was there; or as it was `found`. As `openDatabase`. */
  openIncoming(how: 'fresh' | 'found'): Promise<Database>;
  /** Removes what came in, and what `switchData` had no time to remove. Nothing of it may be open. */
  discardIncoming(): Promise<void>;
  /**
   * What came in takes the place of `data`, which is removed; neither may be open. Durable when it resolves. A crash
   * leaves the one, the other, or no `data` at all: then it has to be called again.
   */
  switchData(): Promise<void>;
}
