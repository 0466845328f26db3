import type { LogIndex } from '../raft/types.ts';

/** Ranges that a message spells out; of the rest it says how many there are. */
const describedMax = 10;

/** Collects indexes in ascending order, for a message. Keeps a bounded number of ranges, whatever is added. */
export class IndexRanges {
  readonly #ranges: { first: LogIndex; last: LogIndex }[] = [];
  #count = 0;

  add(first: LogIndex, last: LogIndex): void {
    this.#count += last - first + 1;
    const newest = this.#ranges.at(-1);
    if (newest !== undefined && newest.last + 1 === first) newest.last = last;
    else if (this.#ranges.length < describedMax) this.#ranges.push({ first, last });
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** For example `68 to 95, 130 (29 in all)`. */
  describe(): string {
    const ranges = this.#ranges.map(({ first, last }) => (first === last ? `${first}` : `${first} to ${last}`));
    const described = this.#ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0);
    if (described < this.#count) ranges.push('and others');
    return this.#count === 1 ? ranges.join(', ') : `${ranges.join(', ')} (${this.#count} in all)`;
  }
}
