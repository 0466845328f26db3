import type { CoreState } from './core-state.ts';
import type { FollowerProgress } from './progress.ts';

/** The target may campaign as soon as it has everything: then nobody has a better log (thesis 3.10). */
export function maybeCompleteTransfer(core: CoreState, follower: FollowerProgress): void {
  if (core.transfer?.target !== follower.id || follower.matchIndex !== core.log.lastIndex) return;
  core.send({ type: 'timeoutNow', from: core.id, to: follower.id, term: core.term });
}
