import { assert } from '../base/assert.ts';
import type { Configuration, ConfigurationChange, MemberId } from './types.ts';

/** Members of one set of a configuration. Far more than any cluster has, and little enough to go through at once. */
const membersMax = 255;

export function isVoter(configuration: Configuration, member: MemberId): boolean {
  return configuration.voters.includes(member) || configuration.votersOutgoing.includes(member);
}

/** Everyone whom a leader sends its log to; each once. */
export function membersOf(configuration: Configuration): readonly MemberId[] {
  const { voters, votersOutgoing, learners } = configuration;
  return [...new Set([...voters, ...votersOutgoing, ...learners])];
}

export function isJoint({ votersOutgoing }: Configuration): boolean {
  return votersOutgoing.length > 0;
}

/** Of a member that was started to join: it learns by a snapshot who takes part. */
export function isEmptyConfiguration(configuration: Configuration): boolean {
  return membersOf(configuration).length === 0;
}

export const emptyConfiguration: Configuration = {
  voters: [],
  votersOutgoing: [],
  learners: [],
  learnersNext: [],
  autoLeave: false,
};

/**
 * The configuration that a change from `now`, which is not joint, leads to at once. If voters come or go it is joint:
 * deciding takes a majority of the old voters and one of the new ones, until it is left (thesis 4.3). One rule for one
 * voter and for many, where changes of a single voter without it would need exceptions of their own.
 */
export function enterConfiguration(
  now: Configuration,
  { voters, learners }: Pick<ConfigurationChange, 'voters' | 'learners'>,
): Configuration {
  assert(!isJoint(now), 'a joint configuration is left before the next change');
  if (isSameSet(now.voters, voters)) return { ...emptyConfiguration, voters: now.voters, learners };
  return {
    voters,
    votersOutgoing: now.voters,
    learners: learners.filter((member) => !now.voters.includes(member)),
    learnersNext: learners.filter((member) => now.voters.includes(member)),
    autoLeave: true,
  };
}

/** The configuration behind a joint one: the outgoing half has no say any more. */
export function leaveJoint({ voters, learners, learnersNext }: Configuration): Configuration {
  return { ...emptyConfiguration, voters, learners: [...learners, ...learnersNext] };
}

export function isSameConfiguration(a: Configuration, b: Configuration): boolean {
  return (
    isSameSet(a.voters, b.voters) &&
    isSameSet(a.votersOutgoing, b.votersOutgoing) &&
    isSameSet(a.learners, b.learners) &&
    isSameSet(a.learnersNext, b.learnersNext) &&
    a.autoLeave === b.autoLeave
  );
}

/** What is wrong with a configuration, however it came about (as etcd-io/raft `confchange.checkInvariants`). */
export function configurationFault(configuration: Configuration): string | undefined {
  const { voters, votersOutgoing, learners, learnersNext, autoLeave } = configuration;
  if (voters.length === 0) return 'a configuration needs a voter';
  for (const set of [voters, votersOutgoing, learners, learnersNext]) {
    if (set.length > membersMax) return `${set.length} members in one set of the configuration`;
    if (new Set(set).size < set.length) return 'a member stands twice in one set of the configuration';
    for (const member of set) if (!isMemberId(member)) return `${JSON.stringify(member)} is no id of a member`;
  }
  for (const learner of learners) if (isVoter(configuration, learner)) return `${learner} is a voter and a learner`;
  for (const next of learnersNext) {
    if (!votersOutgoing.includes(next)) return `${next} becomes a learner without having been a voter`;
    if (voters.includes(next)) return `${next} stays a voter and becomes a learner`;
  }
  if (autoLeave && !isJoint(configuration)) return 'a configuration that is not joint cannot be left';
  return undefined;
}

export function checkConfiguration(configuration: Configuration): void {
  const fault = configurationFault(configuration);
  assert(fault === undefined, fault ?? '');
}

function isMemberId(value: string): value is MemberId {
  return /^[1-9a-f][0-9a-f]{0,15}$/.test(value);
}

function isSameSet(a: readonly MemberId[], b: readonly MemberId[]): boolean {
  return a.length === b.length && a.every((member) => b.includes(member));
}
