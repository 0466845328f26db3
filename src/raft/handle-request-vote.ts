import type { CoreState } from './core-state.ts';
import type { RequestVote } from './types.ts';

/** RequestVote (Raft paper, figure 2, receiver 2): one vote a term, and only for a log that is as complete. */
export function handleRequestVote(core: CoreState, message: RequestVote): void {
  const isFree = core.vote === message.from || (core.vote === undefined && core.leader === undefined);
  const granted = isFree && core.log.isUpToDate(message.lastLogIndex, message.lastLogTerm);
  if (granted) {
    core.vote = message.from;
    core.electionElapsedTicks = 0;
  }
  core.send({ type: 'requestVoteResponse', from: core.id, to: message.from, term: core.term, granted });
}
