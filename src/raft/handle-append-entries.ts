import type { CoreState } from './core-state.ts';
import type { AppendEntries } from './types.ts';

/** AppendEntries (Raft paper, figure 2, receiver 2–5). */
export function handleAppendEntries(core: CoreState, message: AppendEntries): void {
  // Two leaders of one term cannot be; a message that claims it is not obeyed.
  if (core.role === 'leader' || !isWellFormed(message)) return;
  core.becomeFollowerOf(message.from);
  const { log } = core;
  if (message.previousIndex < log.committed) {
    // An old or repeated append: what is committed here agrees with every leader.
    accept(core, message, log.committed);
    return;
  }
  if (!log.matches(message.previousIndex, message.previousTerm)) {
    reject(core, message);
    return;
  }
  if (!log.maybeAppend(message.entries)) return;
  const lastNewIndex = message.previousIndex + message.entries.length;
  log.commitTo(Math.min(message.commit, lastNewIndex));
  accept(core, message, lastNewIndex);
}

function accept(core: CoreState, message: AppendEntries, matchIndex: number): void {
  core.send({
    type: 'appendEntriesResponse',
    from: core.id,
    to: message.from,
    term: core.term,
    result: { accepted: true, matchIndex },
  });
}

/** Tells where the logs may agree, so that the leader finds it in a few round trips (as etcd-io/raft). */
function reject(core: CoreState, message: AppendEntries): void {
  const hint = core.log.findConflict(message.previousIndex, message.previousTerm);
  core.send({
    type: 'appendEntriesResponse',
    from: core.id,
    to: message.from,
    term: core.term,
    result: { accepted: false, rejectedIndex: message.previousIndex, hintIndex: hint.index, hintTerm: hint.term },
  });
}

/** A gap in the entries, or a term that goes back or beyond the sender's, would tear the log apart. */
function isWellFormed({ entries, previousIndex, previousTerm, term }: AppendEntries): boolean {
  let lastTerm = previousTerm;
  for (const [i, entry] of entries.entries()) {
    if (entry.index !== previousIndex + 1 + i || entry.term < lastTerm || entry.term > term) return false;
    lastTerm = entry.term;
  }
  return previousTerm <= term;
}
