import { argv, stdout } from 'node:process';
import { ManualClock } from '../../base/testing/manual-clock.ts';
import { openDatabase } from '../open-database.ts';
import { openRaftLog } from '../open-raft-log.ts';
import { openReceiptFile } from '../receipt-file.ts';
import { commands, testOwner } from './test-entries.ts';

/**
 * A process of its own that appends until it is killed, and prints the last index of each batch once it is durable.
 * Batches span blocks of the journal, so that a kill can meet one in the middle, and small buffers keep LevelDB compacting.
 */
const directory = argv[2] ?? '';
const clock = new ManualClock();
const database = await openDatabase(`${directory}/log`, { kind: 'log', writeBufferBytes: 2 ** 18 });
const receipts = await openReceiptFile(`${directory}/receipt-1`);
const log = await openRaftLog({ ...testOwner, database, receipts, clock });
for (;;) {
  const first = log.lastIndex() + 1;
  const entries = commands(first, first + (first % 7), { bytes: 100 + (first % 3) * 20_000 });
  await log.persist({ hardState: undefined, entries });
  stdout.write(`${log.lastIndex()}\n`);
  clock.advance(1);
}
