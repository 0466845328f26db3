import type { Clock } from '../base/clock.ts';
import { BloomFilter } from './bloom-filter.ts';
import { breathe } from './breathe.ts';
import { DamagedValue } from './damaged-value.ts';
import type { Database } from './database.ts';
import { type KeySpace, tables } from './key-space.ts';
import { decodeState, stateKey } from './store-state.ts';

export interface KeyFilterOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly keySpace: KeySpace;
  /** LevelDB holds no present key yet. */
  readonly isEmpty: boolean;
  readonly keyCount: () => number;
  readonly isOver: () => boolean;
  readonly onFailure: (reason: unknown) => void;
}

/**
 * Knows of most keys that LevelDB does not hold that it does not hold them. A put has to know what it replaces, and for a
 * new key LevelDB would look in a table of each level; worse, it takes such a look for a sign that the first of these
 * tables should be merged into the next level ("seek compaction"), so that loading keys wrote everything many times.
 *
 * An empty store begins with a filter that knows everything. After a restart, or once too many keys have come and gone,
 * the keys are read through in the background as soon as enough questions have found nothing to pay for it.
 *
 * **Invariant:** a key that LevelDB holds in `current` is never denied.
 */
export class KeyFilter {
  readonly #options: KeyFilterOptions;
  /** Undefined: it does not know all keys. */
  #filter: BloomFilter | undefined;
  #next: BloomFilter | undefined;
  #vainReads = 0;
  #run: Promise<void> | undefined;

  constructor(options: KeyFilterOptions) {
    this.#options = options;
    if (options.isEmpty) this.#filter = new BloomFilter();
  }

  /** False: LevelDB does not hold this key. `name`: see `TableKey`. */
  mayHold(name: string): boolean {
    return this.#filter === undefined || !isPresentKey(name) || this.#filter.mayHave(name);
  }

  /** LevelDB holds it from now on. */
  add(name: string): void {
    if (!isPresentKey(name)) return;
    this.#filter?.add(name);
    this.#next?.add(name);
  }

  /** LevelDB was asked for a key that it does not hold. */
  noteVainRead(name: string): void {
    if (!isPresentKey(name) || this.#run !== undefined) return;
    this.#vainReads++;
    const { keyCount, isOver, onFailure } = this.#options;
    if (this.#vainReads < Math.max(vainReadsMin, keyCount() * vainReadsPerKey) || isOver()) return;
    this.#run = this.#readThrough()
      .catch(onFailure)
      .finally(() => {
        this.#run = undefined;
        this.#next = undefined;
        this.#vainReads = 0;
      });
  }

  /** Resolves when it reads nothing any more. */
  async ended(): Promise<void> {
    await this.#run;
  }

  async #readThrough(): Promise<void> {
    const { database, clock, keySpace, isOver } = this.#options;
    const filter = new BloomFilter();
    // What is written from now on is added by `add`; what was, is in the snapshot.
    this.#next = filter;
    const snapshot = database.snapshot();
    const { gte, lt } = keySpace.wholeTable('current');
    const iterator = database.keys({ gte: gte.bytes, lt: lt.bytes, snapshot });
    try {
      let count = 0;
      for (let keys = await iterator.nextv(sliceKeys); keys.length > 0; keys = await iterator.nextv(sliceKeys)) {
        if (isOver()) return;
        for (const key of keys) filter.add(key.toString('latin1'));
        count += keys.length;
        await breathe(clock);
      }
      const { bytes } = stateKey(keySpace);
      const state = decodeState(bytes, (await database.get(bytes, { snapshot })) ?? Buffer.alloc(0));
      // LevelDB passes over a block that it cannot read without a word.
      if (state.keyCount !== count) {
        throw new DamagedValue(bytes, `it counts ${state.keyCount} keys, and there are ${count}`);
      }
      this.#filter = filter;
    } finally {
      await iterator.close();
      await snapshot.close();
    }
  }
}

function isPresentKey(name: string): boolean {
  return name.charCodeAt(4) === tables.current;
}

/** A read in vain costs about as much as reading through some tens of keys. */
const vainReadsPerKey = 1 / 16;
const vainReadsMin = 1024;
/** About half a millisecond. */
const sliceKeys = 1000;
