import { assert } from '../base/assert.ts';
import type { Clock } from '../base/clock.ts';
import type { ConfigurationEntry, Entry, HardState, LogIndex, Snapshot, Term } from '../raft/types.ts';
import type { Database } from './database.ts';
import type { EntryCache } from './entry-cache.ts';
import { codeOf, DamagedStorage, laterDamageAdvice, StorageWriteFailed } from './errors.ts';
import type { LogConfigurations } from './log-configurations.ts';
import { baseKey, entryKey, tailKey } from './log-keys.ts';
import {
  type ChainedEntry,
  chainAfter,
  chainBehindSnapshot,
  decodeChainedEntry,
  encodeBase,
  encodeChainedEntry,
  encodeTail,
  type LogBase,
  type LogHeader,
  type Tail,
} from './log-records.ts';
import { droppedEntriesMax, type PersistBatch, type RaftLog } from './raft-log.ts';
import { type ReceiptStore, receiptOf } from './receipt.ts';
import { ReceiptWriter } from './receipt-writer.ts';
import { type Batch, writeSynced } from './synced-batch.ts';

/** Entries that one call reads from the database; each costs a few microseconds of the event loop. */
const coldEntriesMax = 128;
/** About 4 ms. */
const deletesPerTurn = 1000;

export interface DurableLogOptions {
  readonly header: LogHeader;
  readonly tail: Tail;
  readonly cache: EntryCache;
  readonly configurations: LogConfigurations;
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
  readonly #header: LogHeader;
  readonly #where: string;
  readonly #database: Database;
  readonly #bootId: string;
  readonly #clock: Clock;
  readonly #receiptWriter: ReceiptWriter;
  readonly #cache: EntryCache;
  readonly #configurations: LogConfigurations;
  #tail: Tail;
  #persisting: Promise<void> | undefined;
  #closed = false;
  /** Why this log takes no more writes; set once. */
  #failure: DamagedStorage | StorageWriteFailed | undefined;

  constructor(options: DurableLogOptions) {
    this.#header = options.header;
    this.#where = options.where;
    this.#database = options.database;
    this.#clock = options.clock;
    this.#cache = options.cache;
    this.#configurations = options.configurations;
    this.#tail = options.tail;
    this.#bootId = options.receipts.bootId;
    this.#receiptWriter = new ReceiptWriter(options.receipts, options.clock, (reason) =>
      this.#failWrite('receipt', reason),
    );
    this.hardState = options.tail.hardState;
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

  configurations(): readonly ConfigurationEntry[] {
    return this.#configurations.all;
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

  async #write({ hardState, entries, dropTo, snapshot }: PersistBatch): Promise<void> {
    const old = this.#tail;
    if (hardState !== undefined) this.#checkSuccession(hardState);
    const commit = Math.max(old.hardState.commit, hardState?.commit ?? 0);
    const newBase = this.#newBase(dropTo, snapshot, commit);
    const start = this.#tailBeforeBatch(entries, newBase, snapshot !== undefined);
    const chained = chainEntries(start, entries);
    const last = chained.at(-1);
    const tail: Tail = {
      ...start,
      sequence: start.sequence + 1,
      bootId: this.#bootId,
      hardState: committedTo(start.firstIndex - 1, hardState ?? start.hardState),
      lastIndex: last?.entry.index ?? start.lastIndex,
      lastTerm: last?.entry.term ?? start.lastTerm,
      chain: last?.chain ?? start.chain,
    };
    this.#hide(start, newBase, snapshot !== undefined);
    try {
      await writeSynced(this.#database, (batch) => this.#fill(batch, { old, newBase, chained, tail }));
    } catch (reason) {
      throw this.#failWrite('log', reason);
    }
    // A receipt may have failed meanwhile: then nothing is acknowledged any more.
    if (this.#failure !== undefined) throw this.#failure;
    this.#tail = tail;
    for (const item of chained) this.#show(item);
    this.#receiptWriter.note(receiptOf(this.#header, tail));
    // The data of before is removed next; nothing but the receipt would show that the log is that of before.
    if (snapshot === undefined && !isNewTermOrVote(old.hardState, tail.hardState)) return;
    // A member that loses its log abstains from elections up to the term of its receipt: that has to be exact.
    await this.#receiptWriter.flush();
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** What goes to the disk: what the batch takes away, then what it brings. */
  async #fill(
    batch: Batch,
    { old, newBase, chained, tail }: { old: Tail; newBase: LogBase | undefined; chained: ChainedEntry[]; tail: Tail },
  ): Promise<void> {
    const { groupId } = this.#header;
    await this.#deleteEntries(batch, old.firstIndex, Math.min(tail.firstIndex - 1, old.lastIndex));
    for (const item of chained) batch.put(entryKey(groupId, item.entry.index), encodeChainedEntry(item));
    await this.#deleteEntries(batch, Math.max(old.firstIndex, tail.lastIndex + 1), old.lastIndex);
    if (newBase !== undefined) batch.put(baseKey(groupId), encodeBase(newBase));
    batch.put(tailKey(groupId), encodeTail(tail));
  }

  /** A snapshot may take the place of a long log. */
  async #deleteEntries(batch: Batch, from: LogIndex, to: LogIndex): Promise<void> {
    for (let index = from; index <= to; index++) {
      batch.del(entryKey(this.#header.groupId, index));
      if ((index - from) % deletesPerTurn === deletesPerTurn - 1) {
        await new Promise<void>((resolve) => this.#clock.afterInput(resolve));
      }
    }
  }

  /** What the batch takes away is gone for readers now: LevelDB may be rid of it before the batch has been answered. */
  #hide(start: Tail, newBase: LogBase | undefined, isAnew: boolean): void {
    this.#tail = start;
    if (isAnew) this.#cache.clear();
    else this.#cache.truncateFrom(start.lastIndex + 1);
    if (newBase !== undefined) this.#configurations.beginAt(newBase, isAnew);
    this.#configurations.truncateFrom(start.lastIndex + 1);
  }

  #show(item: ChainedEntry): void {
    this.#cache.push(item);
    if (item.entry.type !== 'configuration') return;
    const isKnown = this.#configurations.append(item.entry);
    assert(isKnown, () => `entry ${item.entry.index} holds no configuration that can be read`);
  }

  /** Where the log begins from this batch on; `undefined` if that does not change. */
  #newBase(dropTo: LogIndex | undefined, snapshot: Snapshot | undefined, commit: LogIndex): LogBase | undefined {
    const { firstIndex, lastIndex, hardState } = this.#tail;
    if (snapshot !== undefined) {
      const { index, term, configuration } = snapshot;
      assert(dropTo === undefined, 'a snapshot leaves nothing to be dropped');
      assert(index > hardState.commit, () => `a snapshot at ${index}, behind what is committed (${hardState.commit})`);
      const { clusterId, groupId } = this.#header;
      return { index, term, chain: chainBehindSnapshot(clusterId, groupId, index, term), configuration };
    }
    if (dropTo === undefined || dropTo < firstIndex) return undefined;
    assert(dropTo <= lastIndex, () => `the log ends at ${lastIndex} and cannot be dropped up to ${dropTo}`);
    assert(dropTo <= commit, () => `entry ${dropTo} is not committed and cannot be dropped`);
    const index = Math.min(dropTo, firstIndex - 1 + droppedEntriesMax);
    const { entry, chain } = this.#cache.get(index) ?? this.#readChained(index, undefined);
    return { index, term: entry.term, chain, configuration: this.#configurations.at(index) };
  }

  /** The tail of what the batch leaves of the log, where its entries go. */
  #tailBeforeBatch(entries: readonly Entry[], newBase: LogBase | undefined, isAnew: boolean): Tail {
    const first = entries[0];
    let start = this.#tail;
    if (newBase !== undefined) {
      const { index, term, chain } = newBase;
      start = { ...start, firstIndex: index + 1, baseTerm: term, baseChain: chain };
      if (isAnew) return { ...start, lastIndex: index, lastTerm: term, chain };
    }
    return first === undefined ? start : this.#tailBefore(start, first.index);
  }

  /** The tail of a log that ends before `index`, where new entries go. */
  #tailBefore(tail: Tail, index: LogIndex): Tail {
    const { firstIndex, lastIndex, baseTerm, baseChain, hardState } = tail;
    assert(index <= lastIndex + 1, () => `entry ${index} leaves a gap behind ${lastIndex}`);
    assert(index >= firstIndex, () => `entry ${index} lies before the log, which begins at ${firstIndex}`);
    if (index > lastIndex) return tail;
    assert(index > hardState.commit, () => `entry ${index} is committed and must not be replaced`);
    if (index === firstIndex) return { ...tail, lastIndex: index - 1, lastTerm: baseTerm, chain: baseChain };
    const { entry, chain } = this.#cache.get(index - 1) ?? this.#readChained(index - 1, undefined);
    return { ...tail, lastIndex: entry.index, lastTerm: entry.term, chain };
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

/** What a log does not hold any more is committed. */
function committedTo(index: LogIndex, hardState: HardState): HardState {
  return hardState.commit >= index ? hardState : { ...hardState, commit: index };
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
