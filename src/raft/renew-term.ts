import { campaign } from './campaign.ts';
import { membersOf } from './configuration.ts';
import type { CoreState, Leadership } from './core-state.ts';
import { isQuorum } from './quorum.ts';
import type { MemberId } from './types.ts';

/**
 * A suspect is healed by an entry of a later term than it promised anything in (`suspect.ts`). Where that is the present
 * term, and its leader would stay for ever, the leader has itself elected once more. Voters that still hear it answer,
 * as in a transfer (thesis 4.2.3), since it is the leader itself who asks. At most once in an election timeout, and only
 * when enough voters are there to elect it: nobody can keep it from its work by saying that he is suspect. A learner is
 * healed too: one that is suspect is not promoted, so it would never be more.
 *
 * Leases stay right: it serves no reads from the moment it steps down, and its next leadership earns its own.
 */
export function maybeRenewTerm(core: CoreState, leadership: Leadership): void {
  const { configuration, term, log, options } = core;
  const { followers, ticks, transfer, noopIndex } = leadership;
  if (ticks < options.electionTicks || transfer !== undefined || log.committed < noopIndex) return;
  const members = membersOf(configuration);
  const isWaitedFor = [...followers.values()].some(
    ({ id, suspectTerm }) => suspectTerm >= term && members.includes(id),
  );
  if (!isWaitedFor) return;
  const mayVote = (member: MemberId): boolean => {
    const follower = followers.get(member);
    if (follower === undefined) return member === core.id;
    return follower.suspectTerm === 0 && ticks - follower.answeredTick < options.electionTicks;
  };
  if (!isQuorum(configuration, mayVote)) return;
  core.becomeFollower(term, undefined);
  campaign(core, { transfer: true });
}
