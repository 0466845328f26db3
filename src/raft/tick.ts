import { preCampaign } from './campaign.ts';
import type { CoreState, Leadership } from './core-state.ts';
import { isQuorum } from './quorum.ts';

/** One tick of the driver's clock. */
export function tick(core: CoreState): void {
  if (core.leadership !== undefined) tickLeader(core, core.leadership);
  else tickElection(core);
}

function tickElection(core: CoreState): void {
  core.electionElapsedTicks++;
  core.leaderSilentTicks++;
  // Whoever may not campaign counts on: a learner that began anew would hold back its vote for a leader long silent.
  if (core.electionElapsedTicks >= core.electionTimeoutTicks && core.isPromotable) preCampaign(core);
}

function tickLeader(core: CoreState, leadership: Leadership): void {
  const { electionTicks, heartbeatTicks } = core.options;
  leadership.ticks++;
  core.leaderSilentTicks++;
  if (!keepsQuorum(core, leadership)) {
    core.becomeFollower(core.term, undefined);
    return;
  }
  const { transfer } = leadership;
  if (transfer !== undefined && ++transfer.elapsedTicks >= electionTicks) leadership.transfer = undefined;
  if (++leadership.heartbeatElapsedTicks < heartbeatTicks) return;
  leadership.heartbeatElapsedTicks = 0;
  leadership.isHeartbeatDue = true;
  for (const follower of leadership.followers.values()) follower.repeatOffer();
}

/**
 * CheckQuorum (thesis 6.2): a leader that a quorum did not answer within an election timeout gives up, so that clients
 * are not kept waiting by a leader that cannot commit.
 */
function keepsQuorum(core: CoreState, leadership: Leadership): boolean {
  const { electionTicks } = core.options;
  if (leadership.ticks < electionTicks) return true;
  return isQuorum(core.configuration, (member) => {
    if (member === core.id) return true;
    const follower = leadership.followers.get(member);
    return follower !== undefined && leadership.ticks - follower.answeredTick < electionTicks;
  });
}
