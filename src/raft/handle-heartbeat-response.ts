import type { CoreState } from './core-state.ts';
import { acknowledgeRound } from './read-index.ts';
import { maybeRenewTerm } from './renew-term.ts';
import { maybeSendTimeoutNow } from './transfer.ts';
import type { HeartbeatResponse } from './types.ts';

/** The follower is there: it counts for the quorum, and sending to it may go on. */
export function handleHeartbeatResponse(core: CoreState, message: HeartbeatResponse): void {
  const { leadership } = core;
  const follower = leadership?.followers.get(message.from);
  if (leadership === undefined || follower === undefined) return;
  follower.answeredTick = leadership.ticks;
  follower.suspectTerm = message.suspectTerm;
  follower.answeredHeartbeat(core.log.lastIndex);
  acknowledgeRound(core, leadership, message.from, message.readRound);
  // The order to campaign may have been lost.
  maybeSendTimeoutNow(core, leadership, follower);
  maybeRenewTerm(core, leadership);
}
