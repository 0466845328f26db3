import { isVoter, membersOf } from './configuration.ts';
import type { CoreState } from './core-state.ts';
import { voteResult } from './quorum.ts';
import { appendAsLeader } from './replicate.ts';
import type { MemberId } from './types.ts';

/** First asks whether an election could be won (thesis 9.6), so that a member that was cut off disturbs nobody. */
export function preCampaign(core: CoreState): void {
  core.becomePreCandidate();
  const { lastIndex: lastLogIndex, lastTerm: lastLogTerm } = core.log;
  for (const to of otherVoters(core)) {
    core.send({ type: 'preVote', from: core.id, to, term: core.term + 1, lastLogIndex, lastLogTerm });
  }
  // Promises nothing, so it needs no disk.
  countVote(core, core.id, true);
}

/**
 * Starts an election (Raft paper 5.2). The candidate's own vote is counted by `countOwnVote`, when it is durable.
 */
export function campaign(core: CoreState, { transfer }: { readonly transfer: boolean }): void {
  core.becomeCandidate();
  const { lastIndex: lastLogIndex, lastTerm: lastLogTerm } = core.log;
  for (const to of otherVoters(core)) {
    core.send({ type: 'requestVote', from: core.id, to, term: core.term, lastLogIndex, lastLogTerm, transfer });
  }
}

/** The disk has this member's present term and vote. */
export function countOwnVote(core: CoreState): void {
  if (core.role === 'candidate' && core.vote === core.id) countVote(core, core.id, true);
}

/** A vote or pre-vote in the present campaign. Each voter's first answer counts; others have none. */
export function countVote(core: CoreState, from: MemberId, granted: boolean): void {
  if (!isVoter(core.configuration, from) || core.votes.has(from)) return;
  core.votes.set(from, granted);
  const result = voteResult(core.configuration, (member) => core.votes.get(member));
  if (result === 'pending') return;
  if (result === 'lost') core.becomeFollower(core.term, undefined);
  else if (core.role === 'preCandidate') campaign(core, { transfer: false });
  else lead(core);
}

/** A no-op opens the term: only with an entry of its own can a leader commit what it inherited (thesis 6.4, paper 5.4.2). */
function lead(core: CoreState): void {
  core.becomeLeader();
  if (core.leadership !== undefined) appendAsLeader(core, core.leadership, 'noop', [empty]);
}

function otherVoters(core: CoreState): readonly MemberId[] {
  return membersOf(core.configuration).filter((member) => member !== core.id && isVoter(core.configuration, member));
}

const empty = new Uint8Array(0);
