import type { CoreState } from './core-state.ts';
import type { RequestVote } from './types.ts';

/**
 * RequestVote (Raft paper 5.2, 5.4.1; figure 2, RequestVote, receiver 2): one vote a term, and only for a log that is as
 * up to date. By log and term alone, as a member may have been promoted or added without knowing it.
 */
export function handleRequestVote(core: CoreState, message: RequestVote): void {
  const { id, term, log } = core;
  const mayVote = core.vote === undefined && core.leader === undefined && (message.transfer || !core.hearsLeader);
  const isUpToDate = log.isUpToDate(message.lastLogIndex, message.lastLogTerm);
  const granted = !core.isSuspect && (mayVote || core.vote === message.from) && isUpToDate;
  if (granted) {
    core.vote = message.from;
    core.electionElapsedTicks = 0;
  }
  core.send({ type: 'requestVoteResponse', from: id, to: message.from, term, granted });
}
