import { countVote } from './campaign.ts';
import type { CoreState } from './core-state.ts';
import type { PreVoteResponse } from './types.ts';

/** PreVote (thesis 9.6): with a majority that would vote for this member the real election may disturb the others. */
export function handlePreVoteResponse(core: CoreState, message: PreVoteResponse): void {
  if (core.role !== 'preCandidate') return;
  // A grant is for the term that was asked about, so one to an earlier question does not count.
  if (message.granted && message.term !== core.term + 1) return;
  countVote(core, message.from, message.granted);
}
