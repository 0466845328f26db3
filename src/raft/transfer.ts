import type { CoreState, Leadership } from './core-state.ts';
import type { FollowerProgress } from './progress.ts';
import type { MemberId } from './types.ts';

export type TransferResult = 'started' | 'not_leader' | 'unknown_member' | 'learner' | 'already_leader' | 'in_progress';

/** Leadership transfer (thesis 3.10). Another target takes the place of the first one and gets its time anew. */
export function transferLeadership(core: CoreState, to: MemberId): TransferResult {
  const { leadership } = core;
  if (leadership === undefined) return 'not_leader';
  if (to === core.id) return 'already_leader';
  const { voters, learners, learnersNext } = core.configuration;
  if (learners.includes(to) || learnersNext.includes(to)) return 'learner';
  const follower = leadership.followers.get(to);
  // Neither to one that is about to go.
  if (follower === undefined || !voters.includes(to)) return 'unknown_member';
  if (leadership.transfer?.target === to) return 'in_progress';
  leadership.transfer = { target: to, elapsedTicks: 0 };
  maybeSendTimeoutNow(core, leadership, follower);
  return 'started';
}

/** The target may campaign as soon as it has everything: then nobody has a better log. */
export function maybeSendTimeoutNow(core: CoreState, leadership: Leadership, follower: FollowerProgress): void {
  if (leadership.transfer?.target !== follower.id || follower.matchIndex !== core.log.lastIndex) return;
  leadership.isLeaseForfeited = true;
  core.send({ type: 'timeoutNow', from: core.id, to: follower.id, term: core.term });
}
