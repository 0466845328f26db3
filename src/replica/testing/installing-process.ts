import { argv, kill, pid, stdout } from 'node:process';
import { ManualClock } from '../../base/testing/manual-clock.ts';
import { type DirectoryFiles, directoryFiles } from '../../storage/index.ts';
import { openState } from '../open-state.ts';
import { snapshotOfPuts, threeVoters } from './snapshot-source.ts';

/**
 * A process of its own that installs a snapshot into a member's directory and kills itself at the step that it is told:
 * the number of the call that reaches the disk.
 */
const [directory = '', index = '0', step = '0'] = argv.slice(2);
let steps = 0;

function reach(): void {
  if (++steps === Number(step)) kill(pid, 'SIGKILL');
}

const files = directoryFiles(directory);
const killing: DirectoryFiles = {
  ...files,
  openIncoming: async (how) => {
    const database = await files.openIncoming(how);
    const { batch } = database;
    // Before and after every write of what comes in.
    const chained = batch.bind(database) as unknown as () => ReturnType<typeof database.batch>;
    Object.assign(database, {
      batch: () => {
        reach();
        return chained();
      },
    });
    return database;
  },
  switchData: async () => {
    reach();
    await files.switchData();
    reach();
  },
};
const state = await openState({
  groupId: 1,
  clusterId: 'c1',
  memberId: '1',
  files: killing,
  clock: new ManualClock(),
  bootstrap: threeVoters,
  bootstrapMembers: [],
  logCacheBytes: 1000,
  flushIntervalMs: 50,
  flushChangesMax: 100,
  flushBytesMax: 1e6,
  logger: { info: () => undefined, warn: () => undefined },
});
const { snapshot, chunks } = await snapshotOfPuts(Number(index), 100_000);
const incoming = await state.beginIncoming();
for (const chunk of chunks) await incoming.write(chunk);
await incoming.finish();
reach();
const persisted = state.log.persist({
  hardState: { term: 4, vote: '2', commit: snapshot.index },
  entries: [],
  snapshot,
});
reach();
await persisted;
reach();
await state.exchangeStore();
reach();
stdout.write(`${steps}\n`);
await state.close();
