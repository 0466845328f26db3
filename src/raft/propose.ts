import type { CoreState } from './core-state.ts';
import { appendAsLeader } from './replicate.ts';
import type { ProposalResult } from './types.ts';

/** A client's commands on their way into the leader's log (Raft paper 5.3). */
export function propose(core: CoreState, data: readonly Uint8Array[]): ProposalResult {
  const { leadership, options } = core;
  if (leadership === undefined) return { accepted: false, reason: 'not_leader' };
  // The target of a transfer has to stay as long as this log is (thesis 3.10, step 1).
  if (leadership.transfer !== undefined) return { accepted: false, reason: 'transferring' };
  const open = leadership.uncommitted.total;
  let bytes = 0;
  for (const { length } of data) bytes += length;
  // What is above the limit by itself still passes while nothing else is open, or it never could.
  if (open > 0 && open + bytes > options.uncommittedBytesMax) return { accepted: false, reason: 'uncommitted_limit' };
  return { accepted: true, term: core.term, firstIndex: appendAsLeader(core, leadership, 'command', data) };
}
