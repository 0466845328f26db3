import { spawnSync } from 'node:child_process';
import { argv, pid, stdout } from 'node:process';
import { ManualClock } from '../../base/testing/manual-clock.ts';
import { openDatabase } from '../open-database.ts';
import { openRaftLog } from '../open-raft-log.ts';
import { openReceiptFile } from '../receipt-file.ts';
import { commands, testOwner } from './test-entries.ts';

/**
 * A process of its own, started with a limit on the size of files: appends until an append fails, lifts the limit as if
 * space had been freed, and goes on trying. Prints what was acknowledged and why the rest was not.
 */
const directory = argv[2] ?? '';
const clock = new ManualClock();
const database = await openDatabase(`${directory}/log`, { kind: 'log' });
const receipts = await openReceiptFile(`${directory}/receipt-1`);
const log = await openRaftLog({ ...testOwner, database, receipts, clock });

let acknowledged = 0;
const causes = new Set<string>();
for (let failures = 0; failures < 100; ) {
  const index = acknowledged + 1;
  clock.advance(10);
  try {
    await log.persist({ hardState: undefined, entries: commands(index, index, { bytes: 1000 }) });
    acknowledged++;
  } catch (reason) {
    if (failures++ === 0) liftLimit();
    causes.add(reason instanceof Error ? reason.name : String(reason));
  }
}
stdout.write(JSON.stringify({ acknowledged, causes: [...causes] }));

function liftLimit(): void {
  const { status, stderr } = spawnSync('prlimit', ['--pid', `${pid}`, '--fsize=unlimited']);
  if (status !== 0) throw new Error(`the limit cannot be lifted: ${stderr}`);
}
