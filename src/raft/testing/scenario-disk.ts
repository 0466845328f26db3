import { assert } from '../../base/assert.ts';
import type { Entry, HardState, LogIndex, LogReader, Ready, Term } from '../types.ts';

/** What a crash leaves: the log and the hard state as the last completed write left them. */
export class ScenarioDisk implements LogReader {
  #entries: Entry[] = [];
  #hardState: HardState = { term: 0, vote: undefined, commit: 0 };

  get hardState(): HardState {
    return this.#hardState;
  }

  firstIndex(): LogIndex {
    return 1;
  }

  lastIndex(): LogIndex {
    return this.#entries.length;
  }

  term(index: LogIndex): Term | undefined {
    return index === 0 ? 0 : this.entry(index)?.term;
  }

  entry(index: LogIndex): Entry | undefined {
    return this.#entries[index - 1];
  }

  entries(low: LogIndex, high: LogIndex, bytesMax: number): readonly Entry[] {
    const entries: Entry[] = [];
    let bytes = 0;
    for (const entry of this.#entries.slice(low - 1, high - 1)) {
      bytes += entry.data.length;
      if (entries.length > 0 && bytes > bytesMax) break;
      entries.push(entry);
    }
    return entries;
  }

  all(): readonly Entry[] {
    return this.#entries;
  }

  /** One batch, whole or not at all. The first entry decides what of the old log goes. */
  write(batch: Pick<Ready, 'hardState' | 'entries'>): void {
    const first = batch.entries[0];
    if (first !== undefined) {
      assert(
        first.index <= this.#entries.length + 1,
        `a write at ${first.index} leaves a gap after ${this.lastIndex()}`,
      );
      this.#entries = [...this.#entries.slice(0, first.index - 1), ...batch.entries];
    }
    if (batch.hardState !== undefined) this.#hardState = batch.hardState;
  }
}
