import type { Configuration, LogIndex, MemberId } from './types.ts';

export type VoteResult = 'won' | 'lost' | 'pending';

/** The highest index that a majority of each half of the configuration has (Raft paper 5.3; thesis 4.3 for joint). */
export function committedIndex(configuration: Configuration, matchOf: (member: MemberId) => LogIndex): LogIndex {
  const index = majorityIndex(configuration.voters, matchOf);
  if (configuration.votersOutgoing.length === 0) return index;
  return Math.min(index, majorityIndex(configuration.votersOutgoing, matchOf));
}

/** Won if both halves say so, lost as soon as one of them cannot. A member that has not answered is `undefined`. */
export function voteResult(
  configuration: Configuration,
  voteOf: (member: MemberId) => boolean | undefined,
): VoteResult {
  const incoming = majorityVote(configuration.voters, voteOf);
  if (configuration.votersOutgoing.length === 0) return incoming;
  const outgoing = majorityVote(configuration.votersOutgoing, voteOf);
  if (incoming === 'lost' || outgoing === 'lost') return 'lost';
  return incoming === 'won' && outgoing === 'won' ? 'won' : 'pending';
}

/** Whether the members for which `answered` holds can decide alone. */
export function isQuorum(configuration: Configuration, answered: (member: MemberId) => boolean): boolean {
  return voteResult(configuration, (member) => answered(member) || undefined) === 'won';
}

function majorityIndex(voters: readonly MemberId[], matchOf: (member: MemberId) => LogIndex): LogIndex {
  if (voters.length === 0) return 0;
  const ascending = voters.map(matchOf).sort((a, b) => a - b);
  return ascending[Math.ceil(voters.length / 2) - 1] ?? 0;
}

function majorityVote(voters: readonly MemberId[], voteOf: (member: MemberId) => boolean | undefined): VoteResult {
  const majority = Math.floor(voters.length / 2) + 1;
  let granted = 0;
  let refused = 0;
  for (const voter of voters) {
    const vote = voteOf(voter);
    if (vote === true) granted++;
    if (vote === false) refused++;
  }
  if (granted >= majority) return 'won';
  return voters.length - refused < majority ? 'lost' : 'pending';
}
