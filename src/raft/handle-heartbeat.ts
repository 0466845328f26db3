import type { CoreState } from './core-state.ts';
import type { Heartbeat } from './types.ts';

/** A heartbeat keeps the leader in office and tells what is committed; it is answered so that the leader knows its quorum. */
export function handleHeartbeat(core: CoreState, message: Heartbeat): void {
  if (core.role === 'leader') return;
  core.becomeFollowerOf(message.from);
  core.log.commitTo(message.commit);
  core.send({
    type: 'heartbeatResponse',
    from: core.id,
    to: message.from,
    term: core.term,
    readRound: message.readRound,
  });
}
