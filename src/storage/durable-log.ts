import { assert } from '../base/assert.ts';
import type { Clock } from '../base/clock.ts';
import type { Configuration, Entry, HardState, LogIndex, Term } from '../raft/types.ts';
import type { Database } from './database.ts';
import type { EntryCache } from './entry-cache.ts';
import { codeOf, DamagedStorage, laterDamageAdvice, StorageWriteFailed } from './errors.ts';
import { entryKey, tailKey } from './log-keys.ts';
import {
  type ChainedEntry,
  chainAfter,
  decodeChainedEntry,
  encodeChainedEntry,
  encodeTail,
  type LogHeader,
  type Tail,
} from './log-records.ts';
import type { PersistBatch, RaftLog } from './raft-log.ts';
import { type ReceiptStore, receiptOf } from './receipt.ts';
import { ReceiptWriter } from './receipt-writer.ts';
import { writeSynced } from './synced-batch.ts';

/** Entries that one call reads from the database; each costs a few microseconds of the event loop. */
const coldEntriesMax = 128;

export interface DurableLogOptions {
  readonly header: LogHeader;
  readonly tail: Tail;
  readonly cache: EntryCache;
  /** For messages: where the log is. */
  readonly where: string;
  readonly database: Database;
  readonly receipts: ReceiptStore;
  readonly clock: Clock;
}

/**
 * A verified log. The tail in memory is the durable one, except while a batch that replaces entries is on its way:
 * then it ends before the first replaced entry.
 *
 *     base │ firstIndex … │ cache.firstIndex … lastIndex
 *          │  LevelDB only │  LevelDB and memory
 */
export class DurableLog implements RaftLog {
  readonly hardState: HardState;
  readonly configuration: Configuration;
  readonly #header: LogHeader;
  readonly #where: string;
  readonly #database: Database;
  readonly #bootId: string;
  readonly #receiptWriter: ReceiptWriter;
  readonly #cache: EntryCache;
  #tail: Tail;
  #persisting: Promise<void> | undefined;
  #closed = false;
  /** Why this log takes no more writes; set once. */
  #failure: DamagedStorage | StorageWriteFailed | undefined;

  constructor(options: DurableLogOptions) {
    this.#header = options.header;
    this.#where = options.where;
    this.#database = options.database;
    this.#cache = options.cache;
    this.#tail = options.tail;
    this.#bootId = options.receipts.bootId;
    this.#receiptWriter = new ReceiptWriter(options.receipts, options.clock, (reason) =>
      this.#failWrite('receipt', reason),
    );
    this.hardState = options.tail.hardState;
    this.configuration = options.header.bootstrap;
  }

  firstIndex(): LogIndex {
    return this.#tail.firstIndex;
  }

  lastIndex(): LogIndex {
    return this.#tail.lastIndex;
  }

  term(index: LogIndex): Term | undefined {
    const { firstIndex, lastIndex, baseTerm } = this.#tail;
    if (index === firstIndex - 1) return baseTerm;
    if (index < firstIndex || index > lastIndex) return undefined;
    return (this.#cache.get(index) ?? this.#readCold(index)).entry.term;
  }

  entries(low: LogIndex, high: LogIndex, bytesMax: number): readonly Entry[] {
    assert(low >= this.#tail.firstIndex, () => `entry ${low} was dropped; the log begins at ${this.#tail.firstIndex}`);
    const end = Math.min(high, this.#tail.lastIndex + 1);
    const found: Entry[] = [];
    let bytes = 0;
    let coldEntries = 0;
    let previous: ChainedEntry | undefined;
    for (let index = low; index < end; index++) {
      let chained = this.#cache.get(index);
      if (chained === undefined) {
        if (coldEntries++ === coldEntriesMax) break;
        chained = this.#readChained(index, previous);
        previous = chained;
      }
      bytes += chained.entry.data.length;
      if (bytes > bytesMax && found.length > 0) break;
      found.push(chained.entry);
    }
    return found;
  }

  async persist(batch: PersistBatch): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    assert(!this.#closed, 'a batch for a log that is closed');
    assert(this.#persisting === undefined, 'a batch while another one is on its way');
    this.#persisting = this.#write(batch);
    try {
      await this.#persisting;
    } finally {
      this.#persisting = undefined;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    // A failure is the caller's of persist(); here it is reported by what it left behind.
    await this.#persisting?.catch(() => undefined);
    await this.#receiptWriter.flush();
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #write({ hardState, entries }: PersistBatch): Promise<void> {
    const oldLastIndex = this.#tail.lastIndex;
    const first = entries[0];
    const base = first === undefined ? this.#tail : this.#tailBefore(first.index);
    if (hardState !== undefined) this.#checkSuccession(hardState);
    const chained = chainEntries(base, entries);
    const last = chained.at(-1);
    const tail: Tail = {
      ...base,
      sequence: base.sequence + 1,
      bootId: this.#bootId,
      hardState: hardState ?? base.hardState,
      lastIndex: last?.entry.index ?? base.lastIndex,
      lastTerm: last?.entry.term ?? base.lastTerm,
      chain: last?.chain ?? base.chain,
    };
    const { groupId } = this.#header;
    this.#tail = base;
    this.#cache.truncateFrom(base.lastIndex + 1);
    try {
      await writeSynced(this.#database, (batch) => {
        for (const item of chained) batch.put(entryKey(groupId, item.entry.index), encodeChainedEntry(item));
        for (let index = tail.lastIndex + 1; index <= oldLastIndex; index++) batch.del(entryKey(groupId, index));
        batch.put(tailKey(groupId), encodeTail(tail));
      });
    } catch (reason) {
      throw this.#failWrite('log', reason);
    }
    // A receipt may have failed meanwhile: then nothing is acknowledged any more.
    if (this.#failure !== undefined) throw this.#failure;
    this.#tail = tail;
    for (const item of chained) this.#cache.push(item);
    this.#receiptWriter.note(receiptOf(this.#header, tail));
    if (!isNewTermOrVote(base.hardState, tail.hardState)) return;
    // A member that loses its log abstains from elections up to the term of its receipt: that has to be exact.
    await this.#receiptWriter.flush();
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** The tail of a log that ends before `index`, where new entries go. */
  #tailBefore(index: LogIndex): Tail {
    const { firstIndex, lastIndex, baseTerm, baseChain, hardState } = this.#tail;
    assert(index <= lastIndex + 1, () => `entry ${index} leaves a gap behind ${lastIndex}`);
    assert(index >= firstIndex, () => `entry ${index} lies before the log, which begins at ${firstIndex}`);
    if (index > lastIndex) return this.#tail;
    assert(index > hardState.commit, () => `entry ${index} is committed and must not be replaced`);
    if (index === firstIndex) return { ...this.#tail, lastIndex: index - 1, lastTerm: baseTerm, chain: baseChain };
    const { entry, chain } = this.#cache.get(index - 1) ?? this.#readChained(index - 1, undefined);
    return { ...this.#tail, lastIndex: entry.index, lastTerm: entry.term, chain };
  }

  #checkSuccession(next: HardState): void {
    const { term, vote } = this.#tail.hardState;
    assert(next.term >= term, () => `the term would go back from ${term} to ${next.term}`);
    const changesVote = next.term === term && vote !== undefined && next.vote !== vote;
    assert(!changesVote, () => `a second vote in term ${term}: first for ${vote}, then for ${next.vote}`);
  }

  /** An entry from the database that also follows the one before; `previous` is that one if the caller has it. */
  #readChained(index: LogIndex, previous: ChainedEntry | undefined): ChainedEntry {
    const { firstIndex, baseChain } = this.#tail;
    const chainBefore = index === firstIndex ? baseChain : (previous ?? this.#readCold(index - 1)).chain;
    const chained = this.#readCold(index);
    if (chainAfter(chainBefore, chained.entry) === chained.chain) return chained;
    throw this.#failRead(`Entry ${index} does not follow the one before.`, undefined);
  }

  #readCold(index: LogIndex): ChainedEntry {
    let value: Buffer | undefined;
    try {
      value = this.#database.getSync(entryKey(this.#header.groupId, index));
    } catch (cause) {
      // Not damage but a mistake of the caller: the database is closed.
      if (codeOf(cause) === 'LEVEL_DATABASE_NOT_OPEN') throw cause;
      throw this.#failRead(`Entry ${index} could not be read.`, cause);
    }
    if (value === undefined) throw this.#failRead(`Entry ${index} is missing.`, undefined);
    const chained = decodeChainedEntry(value);
    if (chained?.entry.index !== index) throw this.#failRead(`Entry ${index} is damaged.`, undefined);
    return chained;
  }

  #failRead(what: string, cause: unknown): DamagedStorage | StorageWriteFailed {
    this.#failure ??= new DamagedStorage({ what, where: this.#where, advice: laterDamageAdvice, cause });
    return this.#failure;
  }

  #failWrite(what: 'log' | 'receipt', cause: unknown): DamagedStorage | StorageWriteFailed {
    this.#failure ??= new StorageWriteFailed({
      what: `The ${what} could not be written (${cause instanceof Error ? cause.message : String(cause)}).`,
      where: this.#where,
      advice:
        'This member acknowledges nothing more and has to stop; it verifies its log when it starts again. ' +
        'Check the disk, its free space and the log of the operating system first.',
      cause,
    });
    return this.#failure;
  }
}

function isNewTermOrVote(before: HardState, after: HardState): boolean {
  return after.term !== before.term || after.vote !== before.vote;
}

/** The entries with their chain, which goes on from `base`. */
function chainEntries(base: Tail, entries: readonly Entry[]): ChainedEntry[] {
  let { lastIndex, lastTerm, chain } = base;
  return entries.map((entry) => {
    assert(entry.index === lastIndex + 1, () => `entry ${entry.index} does not follow ${lastIndex}`);
    assert(entry.term >= lastTerm, () => `entry ${entry.index} has the term ${entry.term}, behind ${lastTerm}`);
    lastIndex = entry.index;
    lastTerm = entry.term;
    chain = chainAfter(chain, entry);
    return { entry, chain };
  });
}
