import type { AbstractChainedBatch, AbstractChainedBatchWriteOptions } from 'abstract-level';
import type { Database } from './database.ts';

export type Batch = AbstractChainedBatch<Database, Buffer, Buffer>;

/**
 * The only place of this room that writes to a database. Atomic, and durable when it resolves: LevelDB does not keep
 * the order of synced and unsynced writes across a power loss, so there are no unsynced ones.
 *
 * A chained batch costs 4 µs an entry against 10 µs for an array of operations.
 */
export async function writeSynced(database: Database, fill: (batch: Batch) => unknown): Promise<void> {
  const batch = database.batch();
  try {
    await fill(batch);
  } catch (reason) {
    await batch.close();
    throw reason;
  }
  await batch.write(durable);
}

/** `memory-level` has no such option and ignores it. */
const durable: AbstractChainedBatchWriteOptions & { sync: true } = { sync: true };
