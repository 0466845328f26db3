import { isEmptyConfiguration } from './configuration.ts';
import type { CoreState } from './core-state.ts';
import type { LogView } from './log-view.ts';
import type { AppendEntries, AppendEntriesResponse } from './types.ts';

/** AppendEntries (Raft paper 5.3; figure 2, AppendEntries, receiver 1–5). Rule 1, older terms, is in `step.ts`. */
export function handleAppendEntries(core: CoreState, message: AppendEntries): void {
  if (!core.followLeader(message.from)) return;
  const { log, options } = core;
  const { previousIndex, previousTerm, entries, commit } = message;
  // Behind a snapshot that is not being written yet nothing is acknowledged before it is: the leader sends it again.
  if (log.isSnapshotWaiting) return;
  if (isEmptyConfiguration(core.configuration)) {
    const rejection = { rejectedIndex: previousIndex, hintIndex: 0, hintTerm: 0, needsSnapshot: true };
    answer(core, message, { accepted: false, ...rejection });
    return;
  }
  if (contradictsCommitted(log, message)) return;
  if (previousIndex >= log.committed && !log.matches(previousIndex, previousTerm)) {
    // Where the logs may agree, so that the leader finds it in a few round trips.
    const hint = log.findConflict(previousIndex, previousTerm);
    const { index: hintIndex, term: hintTerm } = hint;
    const rejection = { rejectedIndex: previousIndex, hintIndex, hintTerm, needsSnapshot: false };
    answer(core, message, { accepted: false, ...rejection });
    return;
  }
  const lastNewIndex = previousIndex + entries.length;
  // A disk that does not keep up must not fill the memory. The leader sends again what is not acknowledged.
  if (lastNewIndex > log.lastIndex && log.unstableBytes >= options.uncommittedBytesMax) return;
  log.appendUnlessPresent(entries);
  log.commitTo(Math.min(commit, lastNewIndex));
  // An old or repeated append may end before what is committed here, which every leader has.
  answer(core, message, { accepted: true, matchIndex: Math.max(lastNewIndex, log.committed) });
}

/**
 * It would replace a committed entry, or build on another one in its place. No leader that was elected by the rules can
 * ask that; somebody's disk has lost something. An answer would set off an endless exchange.
 */
function contradictsCommitted(log: LogView, { previousIndex, previousTerm, entries }: AppendEntries): boolean {
  const { committed } = log;
  if (previousIndex === committed) return !log.matches(committed, previousTerm);
  const entry = entries[committed - previousIndex - 1];
  return previousIndex < committed && entry !== undefined && !log.matches(committed, entry.term);
}

function answer(core: CoreState, { from: to }: AppendEntries, result: AppendEntriesResponse['result']): void {
  core.send({ type: 'appendEntriesResponse', from: core.id, to, term: core.term, result });
}
