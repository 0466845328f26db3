import { decodeConfigurationData } from '../../../src/raft/configuration-data.ts';
import { entryChecksum } from '../../../src/raft/entry-record.ts';
import type { Configuration, HardState, LogIndex, Term } from '../../../src/raft/index.ts';
import { parseLogKey } from '../../../src/storage/log-keys.ts';
import { decodeChainedEntry, decodeTail } from '../../../src/storage/log-records.ts';
import type { Operation } from './volume.ts';

/** An entry as it is on a disk. */
export interface DurableEntry {
  readonly index: LogIndex;
  readonly term: Term;
  /** Stands for type and data. */
  readonly checksum: number;
  /** Of an entry that changes the members. */
  readonly configuration: Configuration | undefined;
}

interface ConfigurationEntry {
  readonly index: LogIndex;
  readonly term: Term;
  readonly configuration: Configuration;
}

/** What a member's disk holds of its log, read from the very bytes that were written. */
export class DurableImage {
  #hardState: HardState | undefined;
  #baseIndex: LogIndex = 0;
  #baseTerm: Term = 0;
  #lastIndex: LogIndex = 0;
  #sequence: number | undefined;
  readonly #entries = new Map<LogIndex, DurableEntry>();

  get hardState(): HardState | undefined {
    return this.#hardState;
  }

  /** Everything up to there is in the store, and no longer in the log. */
  get baseIndex(): LogIndex {
    return this.#baseIndex;
  }

  get lastIndex(): LogIndex {
    return this.#lastIndex;
  }

  /** Of the newest batch. */
  get sequence(): number | undefined {
    return this.#sequence;
  }

  entry(index: LogIndex): DurableEntry | undefined {
    return index > this.#lastIndex ? undefined : this.#entries.get(index);
  }

  /** Whether it has that entry, which is committed, in the log or in what the log begins behind. */
  holds(index: LogIndex, term: Term): boolean {
    if (index < this.#baseIndex) return true;
    return index === this.#baseIndex ? term === this.#baseTerm : this.entry(index)?.term === term;
  }

  /** Of the newest entry that changes the members; undefined if there is none in the log. */
  get newestConfiguration(): Configuration | undefined {
    return this.configurationEntriesBehind(this.#baseIndex).reduce<ConfigurationEntry | undefined>(
      (newest, one) => (newest === undefined || one.index > newest.index ? one : newest),
      undefined,
    )?.configuration;
  }

  configurationEntriesBehind(index: LogIndex): readonly ConfigurationEntry[] {
    const found: ConfigurationEntry[] = [];
    for (const [at, { term, configuration }] of this.#entries) {
      if (at <= index || at > this.#lastIndex || configuration === undefined) continue;
      found.push({ index: at, term, configuration });
    }
    return found;
  }

  /** Takes in a batch; returns the entries that it brought. */
  apply(operations: Iterable<Operation>): readonly DurableEntry[] {
    const brought: DurableEntry[] = [];
    for (const [name, value] of operations) {
      const key = parseLogKey(Buffer.from(name, 'latin1'));
      if (key?.kind === 'entry') {
        const entry = value === undefined ? undefined : readEntry(value);
        if (entry === undefined) {
          this.#entries.delete(key.index);
          continue;
        }
        this.#entries.set(entry.index, entry);
        brought.push(entry);
      } else if (key?.kind === 'tail' && value !== undefined) {
        const tail = decodeTail(value);
        if (tail === undefined) continue;
        // A log that begins anew, or behind a snapshot, deletes none of what it never had.
        if (tail.firstIndex - 1 > this.#baseIndex || tail.lastIndex < this.#lastIndex) this.#forget(tail);
        this.#hardState = tail.hardState;
        this.#baseIndex = tail.firstIndex - 1;
        this.#baseTerm = tail.baseTerm;
        this.#lastIndex = tail.lastIndex;
        this.#sequence = tail.sequence;
      }
    }
    return brought;
  }

  #forget({ firstIndex, lastIndex }: { readonly firstIndex: LogIndex; readonly lastIndex: LogIndex }): void {
    for (const index of this.#entries.keys()) {
      if (index < firstIndex || index > lastIndex) this.#entries.delete(index);
    }
  }

  /** The disk has been changed from outside. */
  reload(content: ReadonlyMap<string, Buffer>): void {
    this.#hardState = undefined;
    this.#baseIndex = 0;
    this.#baseTerm = 0;
    this.#lastIndex = 0;
    this.#sequence = undefined;
    this.#entries.clear();
    this.apply(content);
  }
}

function readEntry(value: Buffer): DurableEntry | undefined {
  const chained = decodeChainedEntry(value);
  if (chained === undefined) return undefined;
  const { index, term, type, data } = chained.entry;
  const configuration = type === 'configuration' ? decodeConfigurationData(data)?.configuration : undefined;
  // Behind the chain, which is four bytes.
  return { index, term, checksum: entryChecksum(value.subarray(4)), configuration };
}
