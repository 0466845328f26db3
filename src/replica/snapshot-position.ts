import type { StoreExport } from '../mvcc/index.ts';
import type { Snapshot } from '../raft/index.ts';
import type { RaftLog } from '../storage/index.ts';

/** Where in the log a store stands; undefined if the log does not reach back so far any more. */
export function positionOf(
  { appliedIndex: index }: Pick<StoreExport, 'appliedIndex'>,
  log: Pick<RaftLog, 'term' | 'configurations'>,
): Snapshot | undefined {
  const term = log.term(index);
  const configuration = log.configurations().findLast((entry) => entry.index <= index)?.configuration;
  return term === undefined || configuration === undefined ? undefined : { index, term, configuration };
}
