import { assert } from '../base/assert.ts';
import type { RaftOptions } from './types.ts';

/** What is usual, with a tick of 100 ms; the rest is this member's own. */
export const defaultRaftOptions = {
  electionTicks: 10,
  heartbeatTicks: 1,
  messageBytesMax: 1024 * 1024,
  inflightMessagesMax: 256,
  inflightBytesMax: 8 * 1024 * 1024,
  uncommittedBytesMax: 64 * 1024 * 1024,
  committedBytesMax: 4 * 1024 * 1024,
  readMode: 'quorum',
  leaseDriftTicks: 3,
  commitNotice: 'prompt',
} as const satisfies Partial<RaftOptions>;

/** Relations without which the algorithm does not work; broken by a mistake of whoever starts the core. */
export function checkOptions(options: RaftOptions): void {
  const { electionTicks, heartbeatTicks, readMode, leaseDriftTicks } = options;
  assert(heartbeatTicks > 0, 'a heartbeat interval takes at least one tick');
  assert(electionTicks > heartbeatTicks, 'an election timeout must be longer than a heartbeat interval');
  if (readMode !== 'lease') return;
  // Sender and receiver of a heartbeat count whole ticks from different moments: that alone may differ by one.
  assert(leaseDriftTicks >= 1, 'a lease needs at least one tick for the drift of clocks');
  assert(leaseDriftTicks < electionTicks, 'a lease must be shorter than the election timeout');
}
