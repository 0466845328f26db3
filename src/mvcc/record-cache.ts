import type { Change } from './layer.ts';
import { PackedRecords } from './packed-records.ts';

/** What an entry takes beside its key and record. */
const overheadBytes = 96;

/**
 * Records that LevelDB holds, or holds no more, and that were written or read lately. A read of LevelDB costs 5 µs and
 * a buffer outside of the heap, which each put needs for the version it replaces.
 *
 * Two generations: what is asked for moves to the young one; when that is full it becomes the old one, and the old one
 * is forgotten. Cheaper than an exact order of use, and bounded all the same.
 */
export class RecordCache {
  readonly #generationBytesMax: number;
  #young = new CacheGeneration();
  #old = new CacheGeneration();

  constructor(bytesMax: number) {
    this.#generationBytesMax = bytesMax / 2;
  }

  /** `null`: LevelDB has no such key. `undefined`: not known. */
  get(name: string): Change | undefined {
    const young = this.#young.get(name);
    if (young !== undefined) return young;
    const old = this.#old.get(name);
    if (old !== undefined) this.set(name, old);
    return old;
  }

  set(name: string, change: Change): void {
    this.#young.set(name, change);
    if (this.#young.bytes <= this.#generationBytesMax) return;
    this.#old = this.#young;
    this.#young = new CacheGeneration();
  }

  clear(): void {
    this.#young = new CacheGeneration();
    this.#old = new CacheGeneration();
  }
}

class CacheGeneration {
  /** `null`: there is no such record. */
  readonly #places = new Map<string, number | null>();
  readonly #records = new PackedRecords();
  #nameBytes = 0;

  get bytes(): number {
    return this.#nameBytes + this.#records.bytes;
  }

  /** A copy: the record of a key that is set again is written over. */
  get(name: string): Change | undefined {
    const place = this.#places.get(name);
    return typeof place === 'number' ? this.#records.copy(place) : place;
  }

  set(name: string, change: Change): void {
    const place = this.#places.get(name);
    if (change !== null && typeof place === 'number' && this.#records.replace(place, change)) return;
    if (place === undefined) this.#nameBytes += overheadBytes + name.length;
    this.#places.set(name, change === null ? null : this.#records.add(change));
  }
}
