import type { CoreState } from './core-state.ts';
import { acknowledgeCommitted } from './install-snapshot.ts';
import type { InstallSnapshot } from './types.ts';

/** The leader's log does not reach back to this member's (Raft paper 7): the driver is told to fetch a snapshot from it. */
export function handleInstallSnapshot(core: CoreState, { from, term, index }: InstallSnapshot): void {
  if (!core.followLeader(from)) return;
  if (index <= core.log.committed) acknowledgeCommitted(core);
  else core.snapshotOffer = { from, term, index };
}
