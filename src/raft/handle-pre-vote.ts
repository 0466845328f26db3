import type { CoreState } from './core-state.ts';
import type { PreVote } from './types.ts';

/**
 * PreVote (thesis 9.6): would this member vote for the sender in that term? Changes nothing here, not even the term.
 * Membership is the candidate's business: a member that was promoted or added may not know it yet.
 */
export function handlePreVote(core: CoreState, message: PreVote): void {
  const { id, term, log } = core;
  // Leader stickiness (thesis 4.2.3).
  if (core.hearsLeader) return;
  const isFree = message.term > term || core.vote === undefined || core.vote === message.from;
  const granted = isFree && !core.isSuspect && log.isUpToDate(message.lastLogIndex, message.lastLogTerm);
  // A refusal carries this member's own term, which frees a pre-candidate that has fallen behind (etcd-io/etcd#8525).
  core.send({ type: 'preVoteResponse', from: id, to: message.from, term: granted ? message.term : term, granted });
}
