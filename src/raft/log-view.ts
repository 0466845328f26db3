import { assert } from '../base/assert.ts';
import { ConfigurationHistory } from './configuration-history.ts';
import { dataBytes, emptySlice, joined, type LogSlice, takeBytes } from './log-slice.ts';
import type { Entry, LogIndex, LogReader, Snapshot, Term } from './types.ts';

/** A place in the log and the term of the entry there. */
export interface LogPosition {
  readonly index: LogIndex;
  readonly term: Term;
}

/** What an entry in memory costs beside its data, so that entries without data are not free. */
const entryOverheadBytes = 64;

/**
 * The log as the core sees it: what is durable, behind the `LogReader`, and in memory what the write that is out holds
 * and what waits for the next one.
 *
 *     1 … ─────────── stableIndex │ writing … │ pending … lastIndex
 *     durable, and present content │ in memory only
 *
 *     applied ≤ committed ≤ last;  shown as committed: only what is durable too
 *
 * An entry that is replaced leaves `writing` at once, though the disk still writes it. So the end of that write counts
 * only for what is still in `writing`, and never for what took its place (ABA: etcd-io/raft testdata,
 * `async_storage_writes_append_aba_race`). What precedes the replaced entry does count: it may be committed, and a
 * committed entry must not be written again.
 *
 * A snapshot that waits to be written, or is, stands for all of the log already: `stableIndex` is its index then, and of
 * the durable log nothing is looked at before it is exchanged.
 *
 * **Invariant:** otherwise what lies up to `stableIndex` is durable here and is this log's present content.
 */
export class LogView {
  readonly configurations: ConfigurationHistory;
  readonly #durable: LogReader;
  #stableIndex: LogIndex;
  /** Handed out in a `Ready` and in messages as it is: never altered, only forgotten. */
  #writing: readonly Entry[] = [];
  /** How many of `#writing`, from the first, are still this log's content. */
  #writingCount = 0;
  #writingBytes = 0;
  #pending: Entry[] = [];
  #pendingBytes = 0;
  #snapshot: Snapshot | undefined;
  #isSnapshotOut = false;
  #committed: LogIndex;
  #applied: LogIndex;

  constructor(durable: LogReader, positions: { readonly committed: LogIndex; readonly applied: LogIndex }) {
    const lastIndex = durable.lastIndex();
    const { committed, applied } = positions;
    assert(committed <= lastIndex, () => `entries up to ${committed} are committed, and the log ends at ${lastIndex}`);
    assert(applied <= lastIndex, () => `entries up to ${applied} were applied, and the log ends at ${lastIndex}`);
    const firstIndex = durable.firstIndex();
    assert(
      applied >= firstIndex - 1,
      () => `entries up to ${applied} were applied, and the log begins at ${firstIndex}`,
    );
    this.#durable = durable;
    this.#stableIndex = lastIndex;
    // The commit index on disk lags: only a write that happens anyway carries it along.
    this.#committed = Math.max(committed, applied);
    this.#applied = applied;
    this.configurations = new ConfigurationHistory(durable.configurations(), this.#committed);
  }

  get firstIndex(): LogIndex {
    return this.#snapshot === undefined ? this.#durable.firstIndex() : this.#snapshot.index + 1;
  }

  get lastIndex(): LogIndex {
    return this.#stableIndex + this.#writingCount + this.#pending.length;
  }

  get lastTerm(): Term {
    return this.term(this.lastIndex) ?? 0;
  }

  /** Everything up to here is durable on this member. */
  get stableIndex(): LogIndex {
    return this.#stableIndex;
  }

  get committed(): LogIndex {
    return this.#committed;
  }

  get applied(): LogIndex {
    return this.#applied;
  }

  get hasPending(): boolean {
    return this.#pending.length > 0 || this.isSnapshotWaiting;
  }

  /** It has not been handed out yet. */
  get isSnapshotWaiting(): boolean {
    return this.#snapshot !== undefined && !this.#isSnapshotOut;
  }

  /** The log is not what the disk has: a snapshot takes its place. */
  get hasSnapshot(): boolean {
    return this.#snapshot !== undefined;
  }

  /** What the entries that are not durable hold in memory. */
  get unstableBytes(): number {
    return this.#writingBytes + this.#pendingBytes;
  }

  /** `undefined` outside of the log; 0 before its first entry. */
  term(index: LogIndex): Term | undefined {
    if (index <= this.#stableIndex) {
      if (this.#snapshot === undefined) return this.#durable.term(index);
      return index === this.#snapshot.index ? this.#snapshot.term : undefined;
    }
    const offset = index - this.#stableIndex - 1;
    if (offset < this.#writingCount) return this.#writing[offset]?.term;
    return this.#pending[offset - this.#writingCount]?.term;
  }

  matches(index: LogIndex, term: Term): boolean {
    return this.term(index) === term;
  }

  /** Raft paper 5.4.1: the later last term wins, then the longer log. */
  isUpToDate(lastIndex: LogIndex, lastTerm: Term): boolean {
    const ownLastTerm = this.lastTerm;
    return lastTerm > ownLastTerm || (lastTerm === ownLastTerm && lastIndex >= this.lastIndex);
  }

  /**
   * The only way into the log, for a leader's own entries and for those it was sent: behind the last one, or from an
   * uncommitted one on, which is replaced with all that follows it.
   */
  append(entries: readonly Entry[]): void {
    const first = entries[0];
    if (first === undefined) return;
    assert(first.index > this.#committed, () => `entry ${first.index} is committed and must not be replaced`);
    assert(first.index <= this.lastIndex + 1, () => `entry ${first.index} leaves a gap behind ${this.lastIndex}`);
    this.#truncateFrom(first.index);
    let nextIndex = first.index;
    for (const entry of entries) {
      assert(entry.index === nextIndex, 'the entries to append do not follow each other');
      this.#pending.push(entry);
      this.#pendingBytes += costOf(entry);
      nextIndex++;
    }
    this.configurations.append(entries);
  }

  /**
   * A leader's entries behind a position on which the logs agree: what is there stays, what conflicts is replaced from
   * the first conflict on (Raft paper, figure 2, AppendEntries 3 and 4). What is committed here agrees with every
   * leader and is passed over.
   */
  appendUnlessPresent(entries: readonly Entry[]): void {
    const from = entries.findIndex(({ index, term }) => index > this.#committed && !this.matches(index, term));
    if (from !== -1) this.append(from === 0 ? entries : entries.slice(from));
  }

  /** The commit index only grows, and never beyond the log: clamp, do not panic (etcd-io/etcd#15699). */
  commitTo(index: LogIndex): boolean {
    const committed = Math.min(index, this.lastIndex);
    if (committed <= this.#committed) return false;
    this.#committed = committed;
    this.configurations.commitTo(committed);
    return true;
  }

  /** Nothing of the log is left, and it goes on behind the snapshot. Only while no write is out. */
  restore(snapshot: Snapshot): void {
    const { index, configuration } = snapshot;
    assert(index > this.#committed, () => `a snapshot up to ${index}, where ${this.#committed} is committed`);
    assert(this.#writing.length === 0 && !this.#isSnapshotOut, 'a snapshot is restored while a write is out');
    this.#snapshot = snapshot;
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#stableIndex = index;
    this.#committed = index;
    this.configurations.replace(index, configuration);
  }

  /** Hands out the snapshot that waits, for the batch that is written next, which has nothing else. */
  beginSnapshot(): Snapshot | undefined {
    this.#isSnapshotOut = this.#snapshot !== undefined;
    return this.#snapshot;
  }

  /** Hands out what waits, for the batch that is written next. */
  beginWrite(): readonly Entry[] {
    assert(this.#writing.length === 0, 'a write begins while another one is out');
    assert(this.#snapshot === undefined || this.#pending.length === 0, 'entries are written with a snapshot');
    this.#writing = this.#pending;
    this.#writingCount = this.#pending.length;
    this.#writingBytes = this.#pendingBytes;
    this.#pending = [];
    this.#pendingBytes = 0;
    return this.#writing;
  }

  /** The batch is durable. */
  endWrite(): void {
    this.#stableIndex += this.#writingCount;
    this.#writing = [];
    this.#writingCount = 0;
    this.#writingBytes = 0;
    this.#endSnapshot();
    const lastIndex = this.#durable.lastIndex();
    assert(lastIndex >= this.#stableIndex, () => `${this.#stableIndex} was written, and the log ends at ${lastIndex}`);
  }

  hasCommittedEntries(): boolean {
    return !this.hasSnapshot && this.#applied < Math.min(this.#committed, this.#stableIndex);
  }

  /** Committed, durable here and not applied yet. */
  committedEntries(bytesMax: number): readonly Entry[] {
    if (!this.hasCommittedEntries()) return emptySlice.entries;
    return this.#durable.entries(this.#applied + 1, Math.min(this.#committed, this.#stableIndex) + 1, bytesMax);
  }

  appliedTo(index: LogIndex): void {
    assert(index <= this.#committed, () => `applied ${index}, committed ${this.#committed}`);
    this.#applied = Math.max(this.#applied, index);
  }

  /**
   * At least one entry from `low` on if there is one, and then as many as fit. Taken while nothing is pending, when
   * `beginWrite` has been called; so one message carries all that one batch does, and followers share the array.
   */
  slice(low: LogIndex, bytesMax: number): LogSlice {
    assert(this.#pending.length === 0, 'entries are sent before their write has begun');
    if (low > this.lastIndex) return emptySlice;
    if (low > this.#stableIndex) return takeBytes(this.#writing, low - this.#stableIndex - 1, bytesMax);
    const durable = this.#durable.entries(low, this.#stableIndex + 1, bytesMax);
    const bytes = dataBytes(durable);
    const next = low + durable.length;
    if (next > this.#stableIndex) return joined({ entries: durable, bytes, isShort: false }, this.#writing, bytesMax);
    const following = this.#durable.entries(next, next + 1, 0);
    return { entries: durable, bytes, isShort: bytes + dataBytes(following) <= bytesMax };
  }

  /**
   * The highest position up to `index` whose term is not above `term`: no entry behind it can agree with a log that has
   * `term` at `index`. Skips a whole divergent tail in one step on either side (as etcd-io/raft `findConflictByTerm`).
   * By halving, because terms never fall along a log and an old one costs a read from disk.
   */
  findConflict(index: LogIndex, term: Term): LogPosition {
    const base = this.firstIndex - 1;
    let high = Math.min(index, this.lastIndex);
    if (high < base || (this.term(base) ?? 0) > term) return { index: Math.max(0, Math.min(high, base - 1)), term: 0 };
    let low = base;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.term(middle) ?? 0) <= term) low = middle;
      else high = middle - 1;
    }
    return { index: low, term: this.term(low) ?? 0 };
  }

  #endSnapshot(): void {
    if (this.#snapshot === undefined) return;
    const { index } = this.#snapshot;
    const [firstIndex, lastIndex] = [this.#durable.firstIndex(), this.#durable.lastIndex()];
    const isExchanged = firstIndex === index + 1 && lastIndex === index;
    assert(isExchanged, () => `a snapshot up to ${index} was written, and the log is ${firstIndex} to ${lastIndex}`);
    this.#snapshot = undefined;
    this.#isSnapshotOut = false;
    this.appliedTo(index);
  }

  #truncateFrom(index: LogIndex): void {
    if (index > this.lastIndex) return;
    this.configurations.truncateFrom(index);
    const kept = index - this.#stableIndex - 1;
    const keptOfWriting = Math.max(0, Math.min(kept, this.#writingCount));
    for (let i = keptOfWriting; i < this.#writingCount; i++) this.#writingBytes -= costOf(this.#writing[i]);
    const keptOfPending = Math.max(0, kept - this.#writingCount);
    for (const entry of this.#pending.splice(keptOfPending)) this.#pendingBytes -= costOf(entry);
    this.#writingCount = keptOfWriting;
    this.#stableIndex = Math.min(this.#stableIndex, index - 1);
  }
}

function costOf(entry: Entry | undefined): number {
  return entry === undefined ? 0 : entry.data.length + entryOverheadBytes;
}
