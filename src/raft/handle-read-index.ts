import type { CoreState } from './core-state.ts';
import type { ReadIndex } from './types.ts';

/** A follower asks on behalf of its reads. Whoever does not lead stays silent; the follower asks again. */
export function handleReadIndex(core: CoreState, { from, context }: ReadIndex): void {
  const { leadership } = core;
  if (leadership?.followers.has(from)) leadership.reads.add({ from, context });
}
