import type { CoreState } from './core-state.ts';

/**
 * A member that finds that it has lost what it promised (its disk was damaged) is suspect: it follows and acknowledges as
 * ever, which is true of the log that it has, but it gives no vote and does not campaign until it holds a committed
 * entry of a later term than any that it promised anything in. The leader of that term was elected without it, by a
 * majority that forgot nothing, so its log holds everything that the lost promises helped to commit (Raft paper 5.4.3).
 * The whole argument is in docs/decisions/0008-a-member-that-forgot-abstains.md.
 */
export function becomeSuspect(core: CoreState): void {
  core.suspectTerm = core.term;
}

/** Called whenever the log or the commit index may have moved. What the disk has not got does not count. */
export function healSuspect(core: CoreState): void {
  const { suspectTerm, log } = core;
  if (suspectTerm === undefined || log.stableIndex < log.committed || log.hasSnapshot) return;
  if ((log.term(log.committed) ?? 0) > suspectTerm) core.suspectTerm = undefined;
}
