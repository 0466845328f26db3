import type { CoreState } from './core-state.ts';
import { acceptRead } from './read-index.ts';
import type { ReadIndex, ReadIndexResponse } from './types.ts';

/** A follower asks on behalf of its reads. Whoever does not lead stays silent; the follower asks again. */
export function handleReadIndex(core: CoreState, message: ReadIndex): void {
  if (core.role !== 'leader' || !core.followers.has(message.from)) return;
  acceptRead(core, { from: message.from, context: message.context });
}

export function handleReadIndexResponse(core: CoreState, message: ReadIndexResponse): void {
  if (core.leader !== message.from) return;
  core.readStates.push({ context: message.context, index: message.index });
}
