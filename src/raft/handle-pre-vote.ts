import type { CoreState } from './core-state.ts';
import type { PreVote } from './types.ts';

/**
 * PreVote (thesis 9.6): would this member vote for the sender in that term? Changes nothing here, not even the term.
 * Membership is the candidate's business: a member that was promoted or added may not know it yet.
 */
export function handlePreVote(core: CoreState, message: PreVote): void {
  if (core.hearsLeader) return;
  const isFree = core.vote === message.from || (core.vote === undefined && core.leader === undefined);
  const granted =
    (message.term > core.term || (message.term === core.term && isFree)) &&
    core.log.isUpToDate(message.lastLogIndex, message.lastLogTerm);
  core.send({
    type: 'preVoteResponse',
    from: core.id,
    to: message.from,
    // A refusal carries this member's own term, which frees a pre-candidate that has fallen behind (etcd#8525).
    term: granted ? message.term : core.term,
    granted,
  });
}
