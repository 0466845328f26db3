import type { RaftOptions } from './types.ts';

/** What is usual, with a tick of 100 ms; the rest is this member's own. */
export const defaultRaftOptions = {
  electionTicks: 10,
  heartbeatTicks: 1,
  messageBytesMax: 1024 * 1024,
  inflightMessagesMax: 256,
  inflightBytesMax: 8 * 1024 * 1024,
  uncommittedBytesMax: 64 * 1024 * 1024,
  committedBytesMax: 1024 * 1024,
  readMode: 'quorum',
  leaseDriftTicks: 2,
  commitNotice: 'prompt',
} as const satisfies Partial<RaftOptions>;
