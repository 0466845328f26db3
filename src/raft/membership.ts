import { isVoter } from './configuration.ts';
import type { CoreState, Leadership } from './core-state.ts';
import type { FollowerProgress } from './progress.ts';
import { maybeEndRound, sendHeartbeat } from './read-index.ts';

/** The leader's log has a new configuration: it is in effect at once. */
export function configurationAppended(core: CoreState, leadership: Leadership): void {
  reconcileFollowers(core, leadership);
  // The quorum that confirmed it was another one.
  leadership.confirmedTick = Number.NEGATIVE_INFINITY;
  maybeEndRound(core, leadership);
}

/** The newest configuration is committed: whoever it has dropped may go, the leader itself too (thesis 4.2.2). */
export function configurationCommitted(core: CoreState, leadership: Leadership): void {
  reconcileFollowers(core, leadership);
  if (!isVoter(core.configuration, core.id)) handOver(core, leadership);
}

function reconcileFollowers(core: CoreState, leadership: Leadership): void {
  const { followers, ticks } = leadership;
  const members = new Set(core.log.configurations.members);
  for (const follower of followers.values()) {
    if (members.has(follower.id)) continue;
    // The last that it hears of this leader: it may learn that its removal is committed.
    sendHeartbeat(core, leadership, follower);
    followers.delete(follower.id);
  }
  for (const member of members) {
    if (member === core.id || followers.has(member)) continue;
    const follower = core.newFollower(member);
    // It has not had the time to answer: that must not cost the leader its quorum.
    follower.answeredTick = ticks;
    followers.set(member, follower);
  }
}

/** Some voter has all of the log, because it took no more proposals behind its removal: it need not wait for a timeout. */
function handOver(core: CoreState, { followers }: Leadership): void {
  const heir = [...followers.values()]
    .filter((follower) => mayLead(core, follower))
    .reduce<FollowerProgress | undefined>(
      (a, b) => (a !== undefined && a.answeredTick >= b.answeredTick ? a : b),
      undefined,
    );
  core.becomeFollower(core.term, undefined);
  if (heir !== undefined) core.send({ type: 'timeoutNow', from: core.id, to: heir.id, term: core.term });
}

function mayLead({ configuration, log }: CoreState, { id, matchIndex, suspectTerm }: FollowerProgress): boolean {
  return configuration.voters.includes(id) && matchIndex === log.lastIndex && suspectTerm === 0;
}
