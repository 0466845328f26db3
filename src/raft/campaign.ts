import { isVoter, membersOf } from './configuration.ts';
import type { CoreState } from './core-state.ts';
import { type VoteResult, voteResult } from './quorum.ts';
import { appendAsLeader } from './replicate.ts';
import type { MemberId } from './types.ts';

/** First asks whether an election could be won (thesis 9.6), so that a member that was cut off disturbs nobody. */
export function preCampaign(core: CoreState): void {
  core.becomePreCandidate();
  const { index: lastLogIndex, term: lastLogTerm } = { index: core.log.lastIndex, term: core.log.lastTerm };
  for (const to of otherVoters(core)) {
    core.send({ type: 'preVote', from: core.id, to, term: core.term + 1, lastLogIndex, lastLogTerm });
  }
  // Promises nothing, so it needs no disk.
  if (countVote(core, core.id, true) === 'won') campaign(core, { transfer: false });
}

/**
 * Starts an election (Raft paper 5.2). The candidate's own vote is counted by `countOwnVote`, when it is durable.
 */
export function campaign(core: CoreState, { transfer }: { readonly transfer: boolean }): void {
  core.becomeCandidate();
  const [lastLogIndex, lastLogTerm] = [core.log.lastIndex, core.log.lastTerm];
  for (const to of otherVoters(core)) {
    core.send({ type: 'requestVote', from: core.id, to, term: core.term, lastLogIndex, lastLogTerm, transfer });
  }
}

/** The disk has this candidate's term and vote now. */
export function countOwnVote(core: CoreState): void {
  if (core.role !== 'candidate' || core.votes.has(core.id)) return;
  concludeElection(core, countVote(core, core.id, true));
}

export function concludeElection(core: CoreState, result: VoteResult): void {
  if (result === 'lost') core.becomeFollower(core.term, undefined);
  if (result === 'won') lead(core);
}

export function countVote(core: CoreState, from: MemberId, granted: boolean): VoteResult {
  if (isVoter(core.configuration, from) && !core.votes.has(from)) core.votes.set(from, granted);
  return voteResult(core.configuration, (member) => core.votes.get(member));
}

/** A no-op opens the term: only with an entry of its own can a leader commit what it inherited (thesis 6.4, paper 5.4.2). */
function lead(core: CoreState): void {
  core.becomeLeader();
  appendAsLeader(core, [{ type: 'noop', data: empty }]);
}

function otherVoters(core: CoreState): readonly MemberId[] {
  return membersOf(core.configuration).filter((member) => member !== core.id && isVoter(core.configuration, member));
}

const empty = new Uint8Array(0);
