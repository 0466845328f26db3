import { assert } from '../base/assert.ts';
import type { Entry, LogIndex, LogReader, Term } from './types.ts';

/** A place in the log and the term of the entry there. */
export interface LogPosition {
  readonly index: LogIndex;
  readonly term: Term;
}

/**
 * The log as the core sees it: what is durable, behind the `LogReader`, and the unstable tail in memory that follows
 * or replaces its end.
 *
 *     durable:   1 … ──────────────────── offset-1 │ offset … (replaced by the next batch)
 *     tail:                                         │ offset … last
 *     applied ≤ committed ≤ last;  shown as committed: only what lies below offset
 *
 * **Invariant:** what lies below `offset` is durable here and is this log's present content.
 */
export class LogView {
  readonly #durable: LogReader;
  /** Handed out in a `Ready` and in messages as it is, so it is replaced and never altered. */
  #tail: readonly Entry[] = [];
  #offset: LogIndex;
  #committed: LogIndex;
  #applied: LogIndex;

  constructor(durable: LogReader, positions: { committed: LogIndex; applied: LogIndex }) {
    this.#durable = durable;
    this.#offset = durable.lastIndex() + 1;
    // A hard state may promise more than the log holds only if the log is damaged, and then it does not open.
    this.#committed = Math.max(Math.min(positions.committed, durable.lastIndex()), positions.applied);
    this.#applied = positions.applied;
    assert(
      positions.applied <= durable.lastIndex(),
      () => `applied ${positions.applied} of ${durable.lastIndex()} entries`,
    );
  }

  get firstIndex(): LogIndex {
    return this.#durable.firstIndex();
  }

  get lastIndex(): LogIndex {
    return this.#offset + this.#tail.length - 1;
  }

  get lastTerm(): Term {
    return this.term(this.lastIndex) ?? 0;
  }

  /** Everything up to here is durable on this member. */
  get stableIndex(): LogIndex {
    return this.#offset - 1;
  }

  get committed(): LogIndex {
    return this.#committed;
  }

  get applied(): LogIndex {
    return this.#applied;
  }

  get unstable(): readonly Entry[] {
    return this.#tail;
  }

  /** `undefined` outside of the log; 0 before its first entry. */
  term(index: LogIndex): Term | undefined {
    if (index >= this.#offset) return this.#tail[index - this.#offset]?.term;
    return this.#durable.term(index);
  }

  matches(index: LogIndex, term: Term): boolean {
    return this.term(index) === term;
  }

  /** Raft paper 5.4.1: the later last term wins, then the longer log. */
  isUpToDate(lastIndex: LogIndex, lastTerm: Term): boolean {
    return lastTerm > this.lastTerm || (lastTerm === this.lastTerm && lastIndex >= this.lastIndex);
  }

  /** At least one entry from `low` on if there is one before `high`; see `LogReader.entries`. */
  entries(low: LogIndex, high: LogIndex, bytesMax: number): readonly Entry[] {
    if (low >= high) return [];
    if (low >= this.#offset) return takeBytes(this.#tail, low - this.#offset, high - this.#offset, bytesMax);
    const durable = this.#durable.entries(low, Math.min(high, this.#offset), bytesMax);
    const reached = low + durable.length;
    if (reached < this.#offset || reached >= high) return durable;
    const left = bytesMax - durable.reduce((bytes, { data }) => bytes + data.length, 0);
    if (left <= 0) return durable;
    return [...durable, ...takeBytes(this.#tail, 0, high - this.#offset, left)];
  }

  /** A leader's own entries, behind its last one. */
  append(entries: readonly Entry[]): void {
    this.#tail = this.#tail.length === 0 ? entries : [...this.#tail, ...entries];
  }

  /**
   * A leader's entries behind a position on which the logs agree: what is there stays, what conflicts is replaced from
   * the first conflict on (Raft paper, figure 2, AppendEntries 3 and 4). False if that would replace a committed entry,
   * which no leader that was elected by the rules can ask; nothing is changed then.
   */
  maybeAppend(entries: readonly Entry[]): boolean {
    const from = entries.findIndex(({ index, term }) => !this.matches(index, term));
    const first = entries[from];
    if (first === undefined) return true;
    if (first.index <= this.#committed) return false;
    const added = entries.slice(from);
    if (first.index <= this.#offset) {
      this.#offset = first.index;
      this.#tail = added;
    } else {
      this.#tail = [...this.#tail.slice(0, first.index - this.#offset), ...added];
    }
    return true;
  }

  /** The commit index only grows, and never beyond the log (pitfall of etcd#15699: clamp, do not panic). */
  commitTo(index: LogIndex): boolean {
    const committed = Math.min(index, this.lastIndex);
    if (committed <= this.#committed) return false;
    this.#committed = committed;
    return true;
  }

  /**
   * The batch that ends with this entry is durable. Ignored if the entry was replaced meanwhile: an acknowledgement for
   * what stood there before must not count for what stands there now.
   */
  stableTo(position: LogPosition): void {
    if (position.index < this.#offset) return;
    if (this.#tail[position.index - this.#offset]?.term !== position.term) return;
    this.#tail = this.#tail.slice(position.index - this.#offset + 1);
    this.#offset = position.index + 1;
  }

  hasCommittedEntries(): boolean {
    return this.#applied < Math.min(this.#committed, this.stableIndex);
  }

  /** Committed, durable here and not applied yet. */
  committedEntries(bytesMax: number): readonly Entry[] {
    return this.entries(this.#applied + 1, Math.min(this.#committed, this.stableIndex) + 1, bytesMax);
  }

  appliedTo(index: LogIndex): void {
    assert(index <= this.#committed, () => `applied ${index}, committed ${this.#committed}`);
    this.#applied = Math.max(this.#applied, index);
  }

  /**
   * The highest position up to `index` whose term is not above `term`: no entry behind it can agree with a log that has
   * `term` at `index`. Skips a whole divergent tail in one step on either side.
   */
  findConflict(index: LogIndex, term: Term): LogPosition {
    for (let at = Math.min(index, this.lastIndex); at > 0; at--) {
      const here = this.term(at);
      if (here === undefined) return { index: at, term: 0 };
      if (here <= term) return { index: at, term: here };
    }
    return { index: 0, term: 0 };
  }
}

/** As many of `entries[from … to)` as fit, and at least one. */
function takeBytes(entries: readonly Entry[], from: number, to: number, bytesMax: number): readonly Entry[] {
  let bytes = 0;
  let end = from;
  for (; end < to; end++) {
    bytes += entries[end]?.data.length ?? 0;
    if (bytes > bytesMax && end > from) break;
  }
  return from === 0 && end === entries.length ? entries : entries.slice(from, end);
}
