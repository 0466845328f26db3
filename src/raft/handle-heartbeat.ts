import type { CoreState } from './core-state.ts';
import type { Heartbeat } from './types.ts';

/** A heartbeat keeps the leader in office and tells what is committed; by the answers it knows its quorum. */
export function handleHeartbeat(core: CoreState, message: Heartbeat): void {
  if (!core.followLeader(message.from)) return;
  core.log.commitTo(message.commit);
  const { from: to, readRound } = message;
  core.send({ type: 'heartbeatResponse', from: core.id, to, term: core.term, readRound });
}
