import { checkConfiguration } from './configuration.ts';
import type { CoreState } from './core-state.ts';
import type { Snapshot } from './types.ts';

/**
 * A snapshot of what is committed takes the place of everything here, unless the log holds the entry at its end: what
 * conflicts with it must not stay behind (Raft paper 7, InstallSnapshot, receiver 6 and 7). See `RaftCore.installSnapshot`.
 */
export function installSnapshot(core: CoreState, snapshot: Snapshot): boolean {
  const { log } = core;
  const { index, term, configuration } = snapshot;
  checkConfiguration(configuration);
  // A leader holds all that was committed before it, and finds out by itself how far that goes.
  if (core.role === 'leader') return false;
  const isNeeded = index > log.committed && !log.matches(index, term);
  if (isNeeded) {
    // Somebody leads or led in that term. Whoever campaigns without what is committed cannot win.
    if (term > core.term || core.role !== 'follower') core.becomeFollower(Math.max(term, core.term), undefined);
    log.restore(snapshot);
  } else {
    log.commitTo(index);
  }
  acknowledgeCommitted(core);
  return isNeeded;
}

/** Tells the leader what is certain: there it may end that a snapshot is offered. */
export function acknowledgeCommitted(core: CoreState): void {
  const { leader, log, term } = core;
  if (leader === undefined) return;
  const result = { accepted: true, matchIndex: log.committed } as const;
  core.send({ type: 'appendEntriesResponse', from: core.id, to: leader, term, result });
}
