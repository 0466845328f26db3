import { assert } from '../../base/assert.ts';
import { decodeConfigurationData } from '../configuration-data.ts';
import type {
  Configuration,
  ConfigurationEntry,
  Entry,
  HardState,
  LogIndex,
  LogReader,
  Ready,
  Term,
} from '../types.ts';

/** A log in memory that changes only by `write`, whole batches at a time: what a crash leaves. */
export class MemoryLog implements LogReader {
  hardState: HardState = { term: 0, vote: undefined, commit: 0 };
  /** Entries that one read returns at most; a real log reads few at once from its disk. */
  coldEntriesMax = Number.POSITIVE_INFINITY;
  #base: { readonly index: LogIndex; readonly term: Term } = { index: 0, term: 0 };
  #baseConfiguration: ConfigurationEntry;
  #entries: Entry[] = [];

  constructor(configuration: Configuration) {
    this.#baseConfiguration = { index: 0, configuration };
  }

  firstIndex(): LogIndex {
    return this.#base.index + 1;
  }

  lastIndex(): LogIndex {
    return this.#base.index + this.#entries.length;
  }

  term(index: LogIndex): Term | undefined {
    return index === this.#base.index ? this.#base.term : this.#entries[index - this.firstIndex()]?.term;
  }

  entry(index: LogIndex): Entry | undefined {
    return this.#entries[index - this.firstIndex()];
  }

  all(): readonly Entry[] {
    return this.#entries;
  }

  configurations(): readonly ConfigurationEntry[] {
    return [this.#baseConfiguration, ...this.#entries.flatMap(configurationOf)];
  }

  /** The configuration in effect at `index`. */
  configurationAt(index: LogIndex): Configuration {
    const found = this.configurations().findLast((one) => one.index <= index) ?? this.#baseConfiguration;
    return found.configuration;
  }

  entries(low: LogIndex, high: LogIndex, bytesMax: number): readonly Entry[] {
    assert(low >= this.firstIndex(), `entry ${low} was dropped`);
    const found: Entry[] = [];
    let bytes = 0;
    for (const entry of this.#entries.slice(low - this.firstIndex(), high - this.firstIndex())) {
      bytes += entry.data.length;
      if (found.length > 0 && (bytes > bytesMax || found.length >= this.coldEntriesMax)) break;
      found.push(entry);
    }
    return found;
  }

  /** As the durable log does, it refuses to replace what it knows as committed. */
  write({
    hardState,
    entries,
    snapshot,
  }: Pick<Ready, 'hardState' | 'entries'> & Partial<Pick<Ready, 'snapshot'>>): void {
    if (snapshot !== undefined) {
      assert(entries.length === 0, 'a snapshot with entries');
      assert(snapshot.index > this.hardState.commit, `a snapshot up to ${snapshot.index}, which is committed`);
      this.#base = snapshot;
      this.#baseConfiguration = snapshot;
      this.#entries = [];
    }
    const first = entries[0];
    if (first !== undefined) {
      assert(first.index <= this.lastIndex() + 1, `a write at ${first.index} leaves a gap`);
      assert(first.index > this.hardState.commit, `entry ${first.index} is committed and must not be replaced`);
      this.#entries = [...this.#entries.slice(0, first.index - this.firstIndex()), ...entries];
    }
    if (hardState !== undefined) this.hardState = hardState;
  }

  /** Drops the entries up to `index`. */
  dropTo(index: LogIndex): void {
    const dropped = this.configurations().findLast((one) => one.index <= index);
    this.#baseConfiguration = dropped ?? this.#baseConfiguration;
    const base = { index, term: this.term(index) ?? 0 };
    this.#entries = this.#entries.slice(index - this.#base.index);
    this.#base = base;
  }

  /** What a broken disk does: the entries from `index` on are gone. */
  loseFrom(index: LogIndex): void {
    this.#entries = this.#entries.slice(0, index - this.firstIndex());
    this.hardState = { ...this.hardState, commit: Math.min(this.hardState.commit, this.lastIndex()) };
  }
}

function configurationOf({ type, index, data }: Entry): readonly ConfigurationEntry[] {
  const decoded = type === 'configuration' ? decodeConfigurationData(data) : undefined;
  return decoded === undefined ? [] : [{ index, configuration: decoded.configuration }];
}
