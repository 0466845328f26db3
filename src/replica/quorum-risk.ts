import type { MemberId } from '../raft/index.ts';

/**
 * Whether these voters could not decide anything: no majority of them is up. A change that leads there is refused; one that
 * leads away from it is not, so that a dead member can always be removed.
 */
export function isQuorumAtRisk(voters: readonly MemberId[], isUp: (member: MemberId) => boolean): boolean {
  return 2 * voters.filter(isUp).length <= voters.length;
}
