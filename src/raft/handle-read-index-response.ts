import type { CoreState } from './core-state.ts';
import type { ReadIndexResponse } from './types.ts';

/** Only what was asked of this very leader, and once: a late answer must not serve a newer read (etcd-io/etcd#20418). */
export function handleReadIndexResponse(core: CoreState, { from, context, index }: ReadIndexResponse): void {
  if (core.leader !== from || !core.askedReads.delete(context)) return;
  core.readStates.push({ context, index });
}
