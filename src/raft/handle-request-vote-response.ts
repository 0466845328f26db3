import { countVote } from './campaign.ts';
import type { CoreState } from './core-state.ts';
import type { RequestVoteResponse } from './types.ts';

/** RequestVote (Raft paper 5.2; figure 2, candidates): a majority of the votes of this term makes a leader. */
export function handleRequestVoteResponse(core: CoreState, message: RequestVoteResponse): void {
  if (core.role === 'candidate') countVote(core, message.from, message.granted);
}
