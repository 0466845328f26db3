import { Heap } from '../base/heap.ts';

/**
 * The first items of a stream in some order, within a count and a number of bytes; at least one if there is any.
 *
 * **Invariant:** what it holds is, at any moment, the beginning of the sorted stream so far. So once an item had to go
 * for its bytes, no later item behind it may come in, although a small one would fit.
 */
export class TopList<T> {
  readonly #limits: { readonly itemsMax: number; readonly bytesMax: number };
  readonly #bytesOf: (item: T) => number;
  readonly #before: (a: T, b: T) => boolean;
  /** The last of the list on top: the one that goes first. */
  readonly #heap: Heap<T>;
  #bytes = 0;
  /** The first of those that had to go. */
  #cut: T | undefined;

  constructor(
    limits: { itemsMax: number; bytesMax: number },
    bytesOf: (item: T) => number,
    before: (a: T, b: T) => boolean,
  ) {
    this.#limits = limits;
    this.#bytesOf = bytesOf;
    this.#before = before;
    this.#heap = new Heap((a, b) => before(b, a));
  }

  /** Something was left out. */
  get isCut(): boolean {
    return this.#cut !== undefined;
  }

  add(item: T): void {
    if (this.#cut !== undefined && this.#before(this.#cut, item)) return;
    this.#heap.push(item);
    this.#bytes += this.#bytesOf(item);
    while (this.#heap.size > 1 && (this.#heap.size > this.#limits.itemsMax || this.#bytes > this.#limits.bytesMax)) {
      this.#cut = this.#heap.pop();
      if (this.#cut !== undefined) this.#bytes -= this.#bytesOf(this.#cut);
    }
  }

  /** In order; the list is empty afterwards. */
  take(): readonly T[] {
    const items: T[] = [];
    for (let item = this.#heap.pop(); item !== undefined; item = this.#heap.pop()) items.push(item);
    return items.reverse();
  }
}
