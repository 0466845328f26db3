import { entryChecksum } from '../../../src/raft/entry-record.ts';
import type { HardState, LogIndex, Term } from '../../../src/raft/index.ts';
import { parseLogKey } from '../../../src/storage/log-keys.ts';
import { decodeChainedEntry, decodeTail } from '../../../src/storage/log-records.ts';
import type { Operation } from './volume.ts';

/** An entry as it is on a disk. */
export interface DurableEntry {
  readonly index: LogIndex;
  readonly term: Term;
  /** Stands for type and data. */
  readonly checksum: number;
}

/** What a member's disk holds of its log, read from the very bytes that were written. */
export class DurableImage {
  #hardState: HardState | undefined;
  #lastIndex: LogIndex = 0;
  #sequence: number | undefined;
  readonly #entries = new Map<LogIndex, DurableEntry>();

  get hardState(): HardState | undefined {
    return this.#hardState;
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
        this.#hardState = tail.hardState;
        this.#lastIndex = tail.lastIndex;
        this.#sequence = tail.sequence;
      }
    }
    return brought;
  }

  /** The disk has been changed from outside. */
  reload(content: ReadonlyMap<string, Buffer>): void {
    this.#hardState = undefined;
    this.#lastIndex = 0;
    this.#sequence = undefined;
    this.#entries.clear();
    this.apply(content);
  }
}

function readEntry(value: Buffer): DurableEntry | undefined {
  const chained = decodeChainedEntry(value);
  if (chained === undefined) return undefined;
  const { index, term } = chained.entry;
  // Behind the chain, which is four bytes.
  return { index, term, checksum: entryChecksum(value.subarray(4)) };
}
