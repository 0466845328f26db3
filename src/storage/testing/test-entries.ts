import type { Configuration, Entry, HardState, LogIndex } from '../../raft/types.ts';
import type { RaftLog } from '../raft-log.ts';

export const bootstrap: Configuration = {
  voters: ['a1', 'b2', 'c3'],
  votersOutgoing: [],
  learners: [],
  learnersNext: [],
  autoLeave: false,
};

/** Whose log it is in the tests. */
export const testOwner = { groupId: 1, clusterId: 'cafe', memberId: 'a1', bootstrap, cacheBytes: 4096 } as const;

/** Commands from `first` to `last`, whose data says where they stand. */
export function commands(first: LogIndex, last: LogIndex, { term = 1, bytes = 16 } = {}): Entry[] {
  return Array.from({ length: last - first + 1 }, (_, i) => {
    const data = Buffer.alloc(bytes, `${term}/${first + i} `);
    return { term, index: first + i, type: 'command', data };
  });
}

/** Everything that a log shows; two logs with the same picture are the same to Raft. */
export function picture(log: RaftLog): { entries: readonly Entry[]; hardState: HardState; firstIndex: LogIndex } {
  const entries: Entry[] = [];
  for (let index = log.firstIndex(); index <= log.lastIndex(); index = log.firstIndex() + entries.length) {
    entries.push(...log.entries(index, log.lastIndex() + 1, Number.MAX_SAFE_INTEGER));
  }
  return { entries, hardState: log.hardState, firstIndex: log.firstIndex() };
}
