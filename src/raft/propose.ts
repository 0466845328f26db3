import { isVoter } from './configuration.ts';
import type { CoreState, Leadership } from './core-state.ts';
import { appendAsLeader } from './replicate.ts';
import type { ProposalResult } from './types.ts';

/** A client's commands on their way into the leader's log (Raft paper 5.3). */
export function propose(core: CoreState, data: readonly Uint8Array[]): ProposalResult {
  const { leadership } = core;
  if (leadership === undefined) return { accepted: false, reason: 'not_leader' };
  // The target of a transfer has to stay as long as this log is (thesis 3.10, step 1).
  if (leadership.transfer !== undefined) return { accepted: false, reason: 'transferring' };
  // So has whoever takes over from a leader that has left: nothing is added behind the entry that ends its leadership.
  if (!isVoter(core.configuration, core.id)) return { accepted: false, reason: 'transferring' };
  let bytes = 0;
  for (const { length } of data) bytes += length;
  if (!hasRoom(core, leadership, bytes)) return { accepted: false, reason: 'uncommitted_limit' };
  return { accepted: true, term: core.term, firstIndex: appendAsLeader(core, leadership, 'command', data) };
}

/** What is above the limit by itself still passes while nothing else is open, or it never could. */
export function hasRoom({ options }: CoreState, { uncommitted }: Leadership, bytes: number): boolean {
  return uncommitted.total === 0 || uncommitted.total + bytes <= options.uncommittedBytesMax;
}
