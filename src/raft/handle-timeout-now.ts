import { campaign } from './campaign.ts';
import type { CoreState } from './core-state.ts';
import type { TimeoutNow } from './types.ts';

/** Leadership transfer (thesis 3.10): the leader chose this member, so no question first, and voters do not hold back. */
export function handleTimeoutNow(core: CoreState, message: TimeoutNow): void {
  if (core.role === 'follower' && core.leader === message.from && core.isPromotable) campaign(core, { transfer: true });
}
