import { isVoter, membersOf } from './configuration.ts';
import type { CoreState, Leadership } from './core-state.ts';
import { pendingConfiguration } from './propose-configuration.ts';
import type { FollowerView, RaftStatus } from './types.ts';

export function describeStatus(core: CoreState): RaftStatus {
  const { id, role, leader, term, vote, configuration, log, leadership } = core;
  return {
    id,
    role,
    leader,
    term,
    vote,
    commitIndex: log.committed,
    appliedIndex: log.applied,
    lastIndex: log.lastIndex,
    configuration,
    members: log.configurations.members,
    pendingConfiguration: pendingConfiguration(core),
    uncommittedBytes: leadership?.uncommitted.total ?? 0,
    transferTarget: leadership?.transfer?.target,
    suspectTerm: core.suspectTerm,
    followers: leadership === undefined ? [] : followerViews(core, leadership),
  };
}

function followerViews({ configuration, options }: CoreState, { followers, ticks }: Leadership): FollowerView[] {
  const members = membersOf(configuration);
  const present = [...followers.values()].filter(({ id }) => members.includes(id));
  return present.map(({ id, state, matchIndex, nextIndex, inflights, answeredTick, suspectTerm }) => ({
    id,
    role: isVoter(configuration, id) ? 'voter' : 'learner',
    state,
    matchIndex,
    nextIndex,
    inflightMessages: inflights.count,
    recentlyActive: ticks - answeredTick < options.electionTicks,
    isSuspect: suspectTerm > 0,
  }));
}
