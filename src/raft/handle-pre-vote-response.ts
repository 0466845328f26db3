import { campaign, concludeElection, countVote } from './campaign.ts';
import type { CoreState } from './core-state.ts';
import type { PreVoteResponse } from './types.ts';

/** PreVote (thesis 9.6): a majority would vote for this member, so the real election may disturb the others. */
export function handlePreVoteResponse(core: CoreState, message: PreVoteResponse): void {
  if (core.role !== 'preCandidate') return;
  if (message.granted && message.term !== core.term + 1) return;
  const result = countVote(core, message.from, message.granted);
  if (result === 'won') campaign(core, { transfer: false });
  else concludeElection(core, result);
}
