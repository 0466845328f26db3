import type { Change } from './layer.ts';

/** What an entry takes beside its key and record. */
const overheadBytes = 128;

/**
 * Records that LevelDB holds, or holds no more, and that were written or read lately. A read of LevelDB costs 3 µs and
 * a buffer outside of the heap, which each put needs for the version it replaces.
 *
 * Two generations: what is asked for moves to the young one; when that is full it becomes the old one, and the old one
 * is forgotten. Cheaper than an exact order of use, and bounded all the same.
 */
export class RecordCache {
  readonly #generationBytesMax: number;
  #young = new Map<string, Change>();
  #old = new Map<string, Change>();
  #youngBytes = 0;

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
    // A key that is set again is counted again: the generation ends somewhat early, and never late.
    this.#youngBytes += overheadBytes + name.length + (change?.length ?? 0);
    if (this.#youngBytes <= this.#generationBytesMax) return;
    this.#old = this.#young;
    this.#young = new Map();
    this.#youngBytes = 0;
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
    this.#youngBytes = 0;
  }
}
