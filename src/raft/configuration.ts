import { assert } from '../base/assert.ts';
import type { Configuration, MemberId } from './types.ts';

export function isVoter(configuration: Configuration, member: MemberId): boolean {
  return configuration.voters.includes(member) || configuration.votersOutgoing.includes(member);
}

/** Everyone whom a leader sends its log to; each once. */
export function membersOf(configuration: Configuration): readonly MemberId[] {
  const { voters, votersOutgoing, learners } = configuration;
  return [...new Set([...voters, ...votersOutgoing, ...learners])];
}

/** What must hold of any configuration, however it came about (as etcd-io/raft `confchange.checkInvariants`). */
export function checkConfiguration(configuration: Configuration): void {
  const { voters, votersOutgoing, learners, learnersNext } = configuration;
  assert(voters.length > 0, 'a configuration needs a voter');
  for (const set of [voters, votersOutgoing, learners, learnersNext]) {
    assert(new Set(set).size === set.length, 'a member stands twice in one set of the configuration');
  }
  for (const learner of learners) {
    assert(!isVoter(configuration, learner), () => `${learner} is a voter and a learner`);
  }
  for (const next of learnersNext) {
    assert(votersOutgoing.includes(next), () => `${next} becomes a learner without having been a voter`);
  }
  if (votersOutgoing.length === 0) {
    assert(!configuration.autoLeave, 'a configuration that is not joint cannot be left');
  }
}
