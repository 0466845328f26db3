import { assert } from '../base/assert.ts';

/** Slots that were used up before the others are moved to the front. */
const usedSlotsMax = 1024;

/**
 * Data bytes of the entries that this leader appended and that are not committed, entry by entry and in order: a leader
 * that cannot commit refuses proposals beyond a bound, instead of filling its memory.
 */
export class UncommittedBytes {
  #sizes: number[] = [];
  #used = 0;
  #total = 0;

  get total(): number {
    return this.#total;
  }

  /** Entries of this leadership that are not committed. */
  get count(): number {
    return this.#sizes.length - this.#used;
  }

  add(bytes: number): void {
    this.#sizes.push(bytes);
    this.#total += bytes;
  }

  /** The oldest `count` entries are committed. */
  release(count: number): void {
    assert(count <= this.count, () => `${count} entries committed, ${this.count} were open`);
    for (const end = this.#used + count; this.#used < end; this.#used++) this.#total -= this.#sizes[this.#used] ?? 0;
    if (this.#used < usedSlotsMax || this.#used * 2 < this.#sizes.length) return;
    this.#sizes = this.#sizes.slice(this.#used);
    this.#used = 0;
  }
}
