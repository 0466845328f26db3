import { assert } from '../base/assert.ts';
import type { Entry, LogIndex } from '../raft/types.ts';
import type { ChainedEntry } from './log-records.ts';

/** What an entry costs beside its data: objects, record header, slots. Keeps a cache of empty entries small too. */
const entryOverheadBytes = 256;

/**
 * The newest entries of the log, without gap, up to its end. The oldest go first when `bytesMax` is exceeded; the
 * newest one always stays.
 */
export class EntryCache {
  readonly #bytesMax: number;
  /** Slots before `#head` are empty; dropping an entry moves the head, and now and then the slots are moved up. */
  #slots: (ChainedEntry | undefined)[] = [];
  #head = 0;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** The oldest index that is kept; `undefined` if nothing is. */
  get firstIndex(): LogIndex | undefined {
    return this.#slots[this.#head]?.entry.index;
  }

  get(index: LogIndex): ChainedEntry | undefined {
    const first = this.firstIndex;
    return first === undefined || index < first ? undefined : this.#slots[this.#head + index - first];
  }

  /** Appends the entry after the newest one. */
  push(chained: ChainedEntry): void {
    const newest = this.#slots.at(-1);
    assert(newest === undefined || chained.entry.index === newest.entry.index + 1, 'a gap in the cache of entries');
    this.#slots.push(chained);
    this.#bytes += costOf(chained.entry);
    while (this.#bytes > this.#bytesMax && this.#head < this.#slots.length - 1) this.#dropOldest();
  }

  /** Forgets the entries from `index` on. */
  truncateFrom(index: LogIndex): void {
    for (
      let newest = this.#slots.at(-1);
      newest !== undefined && newest.entry.index >= index;
      newest = this.#slots.at(-1)
    ) {
      this.#bytes -= costOf(newest.entry);
      this.#slots.pop();
    }
    if (this.#head >= this.#slots.length) this.clear();
  }

  clear(): void {
    this.#slots = [];
    this.#head = 0;
    this.#bytes = 0;
  }

  #dropOldest(): void {
    const oldest = this.#slots[this.#head];
    if (oldest !== undefined) this.#bytes -= costOf(oldest.entry);
    this.#slots[this.#head] = undefined;
    this.#head++;
    if (this.#head < 1024 || this.#head * 2 < this.#slots.length) return;
    this.#slots = this.#slots.slice(this.#head);
    this.#head = 0;
  }
}

function costOf(entry: Entry): number {
  return entry.data.length + entryOverheadBytes;
}
