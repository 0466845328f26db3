import type { CoreState } from './core-state.ts';
import { becomeSuspect } from './suspect.ts';
import type { Heartbeat } from './types.ts';

/** A heartbeat keeps the leader in office and tells what is committed; by the answers it knows its quorum. */
export function handleHeartbeat(core: CoreState, message: Heartbeat): void {
  if (!core.followLeader(message.from)) return;
  const { from: to, readRound, commit, commitTerm } = message;
  // The leader names only what this member acknowledged in this very term, and within a term a follower's log never
  // loses what it acknowledged. Going by its own end instead could commit what an older copy of the disk holds there.
  if (commit > core.log.committed && !core.log.matches(commit, commitTerm)) becomeSuspect(core);
  else core.log.commitTo(commit);
  const suspectTerm = core.suspectTerm ?? 0;
  core.send({ type: 'heartbeatResponse', from: core.id, to, term: core.term, readRound, suspectTerm });
}
