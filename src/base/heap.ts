/** A binary heap (Knuth, TAOCP 3, 5.2.3): the item that `before` puts before all others is at hand, the rest unsorted. */
export class Heap<T> {
  readonly #before: (a: T, b: T) => boolean;
  readonly #items: T[] = [];

  constructor(before: (a: T, b: T) => boolean) {
    this.#before = before;
  }

  get size(): number {
    return this.#items.length;
  }

  /** The first item, still in the heap. */
  peek(): T | undefined {
    return this.#items[0];
  }

  push(item: T): void {
    let at = this.#items.length;
    this.#items.push(item);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#before(item, this.#item(parent))) break;
      this.#items[at] = this.#item(parent);
      at = parent;
    }
    this.#items[at] = item;
  }

  /** Takes the first item out. */
  pop(): T | undefined {
    const first = this.#items[0];
    const last = this.#items.pop();
    if (last !== undefined && this.#items.length > 0) this.#sink(last);
    return first;
  }

  /** Moves the hole at the top down until `item` fits into it. */
  #sink(item: T): void {
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#items.length) break;
      if (child + 1 < this.#items.length && this.#before(this.#item(child + 1), this.#item(child))) child++;
      if (!this.#before(this.#item(child), item)) break;
      this.#items[at] = this.#item(child);
      at = child;
    }
    this.#items[at] = item;
  }

  #item(at: number): T {
    return this.#items[at] as T;
  }
}
