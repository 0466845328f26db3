import { createHash } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import { type MemberRecord, refoundStore } from '../mvcc/index.ts';
import type { Configuration, Term } from '../raft/index.ts';
import type { StateFiles } from '../replica/index.ts';
import { openRaftLog } from '../storage/index.ts';

/** Who a member of a cluster is that begins with a state of another one. */
export interface NewIdentity {
  readonly clusterId: string;
  readonly memberId: string;
  /** All of the new cluster; each of them votes. */
  readonly members: readonly MemberRecord[];
}

/** More than a cluster writes in the time for which a backup may be old. */
export const defaultBumpRevision = 1_000_000_000;

/**
 * Makes of files with the `data` of another cluster the state of a member of a new one: members, revision and
 * history as `refoundStore` says, and a log that begins behind the state. Resolves with its revision.
 */
export async function foundAnew(
  files: Pick<StateFiles, 'openDatabase' | 'openReceipts'>,
  clock: Clock,
  state: { readonly groupId: number; readonly term: Term; readonly bumpRevision: number },
  { clusterId, memberId, members }: NewIdentity,
): Promise<number> {
  const { groupId, term, bumpRevision } = state;
  const data = await files.openDatabase('data');
  const { appliedIndex, revision } = await refoundStore(data, groupId, { members, bumpRevision }).finally(() =>
    data.close(),
  );
  const voters = members.map(({ id }) => id).sort();
  const configuration: Configuration = {
    voters,
    votersOutgoing: [],
    learners: [],
    learnersNext: [],
    autoLeave: false,
  };
  const receipts = await files.openReceipts();
  try {
    const database = await files.openDatabase('log');
    try {
      const log = await openRaftLog({
        groupId,
        clusterId,
        memberId,
        database,
        receipts,
        clock,
        bootstrap: configuration,
        base: { index: appliedIndex, term, configuration },
        cacheBytes: 0,
      });
      await log.close();
    } finally {
      await database.close();
    }
  } finally {
    await receipts.close();
  }
  return revision;
}

/** An id that is made from nothing but its parts: eight bytes of SHA-256, and never 0. */
export function idFrom(...parts: readonly (string | number)[]): string {
  const id = createHash('sha256').update(JSON.stringify(parts)).digest().readBigUInt64BE();
  return (id === 0n ? 1n : id).toString(16);
}
