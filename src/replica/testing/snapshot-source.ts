import { MemoryLevel } from 'memory-level';
import { ManualClock } from '../../base/testing/manual-clock.ts';
import { encodeCommand, openExport, openStore } from '../../mvcc/index.ts';
import type { Configuration, Entry, Snapshot } from '../../raft/index.ts';

export const threeVoters: Configuration = {
  voters: ['1', '2', '3'],
  votersOutgoing: [],
  learners: [],
  learnersNext: [],
  autoLeave: false,
};

/** The same entries on every member: each puts a key of its own. */
export function puts(first: number, last: number, term = 4): Entry[] {
  return Array.from({ length: last - first + 1 }, (_, i): Entry => {
    const key = Buffer.from(`k${String(first + i).padStart(6, '0')}`);
    const put = { kind: 'put', key, value: Buffer.from('v'), condition: undefined, previous: false } as const;
    return { index: first + i, term, type: 'command', data: encodeCommand(put) };
  });
}

export interface SnapshotOfPuts {
  readonly snapshot: Snapshot;
  readonly chunks: readonly Buffer[];
}

/** What a leader sends that has applied the entries up to `index`. */
export async function snapshotOfPuts(index: number, chunkBytes = 300): Promise<SnapshotOfPuts> {
  const database = new MemoryLevel<Buffer, Buffer>({ keyEncoding: 'buffer', valueEncoding: 'buffer' });
  const store = await openStore({
    database,
    groupId: 1,
    clock: new ManualClock(),
    bootstrapMembers: [],
    flushIntervalMs: 1000,
    flushChangesMax: 1e6,
    flushBytesMax: 1e9,
  });
  for (const entry of puts(1, index)) await store.apply(entry.index, entry.data, entry);
  await store.close();
  const source = await openExport(database, 1);
  const chunks: Buffer[] = [];
  for (let chunk = await source.next(chunkBytes); chunk !== undefined; chunk = await source.next(chunkBytes)) {
    chunks.push(chunk);
  }
  await source.close();
  return { snapshot: { index, term: 4, configuration: threeVoters }, chunks };
}
