import { type Random, seededRandom } from '../../../src/base/random.ts';

/** The dice of the simulated world. Every part of it has its own, so that a change in one does not move the others. */
export class Chance implements Random {
  readonly #random: Random;
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = seed;
    this.#random = seededRandom(seed);
  }

  /** The dice of one part of the world, always the same for a name. */
  of(name: string): Chance {
    let mixed = this.#seed % 2 ** 32;
    for (let i = 0; i < name.length; i++) mixed = Math.imul(mixed ^ name.charCodeAt(i), 0x01000193) >>> 0;
    return new Chance(mixed * 2 ** 20 + (Math.floor(this.#seed / 2 ** 32) % 2 ** 20));
  }

  below(bound: number): number {
    return this.#random.below(bound);
  }

  /** A number with fractions, evenly spread. */
  between(low: number, high: number): number {
    return low + (this.#random.below(2 ** 32) / 2 ** 32) * (high - low);
  }

  /** Mostly near `low`, now and then far out: like delays, pauses and outages are. */
  skewed(low: number, high: number): number {
    const share = this.#random.below(2 ** 32) / 2 ** 32;
    return low + share ** 3 * (high - low);
  }

  /** True that often; `share` is from 0 to 1. */
  happens(share: number): boolean {
    return share > 0 && this.#random.below(2 ** 32) < share * 2 ** 32;
  }

  pick<T>(all: readonly T[]): T {
    const one = all[this.#random.below(all.length)];
    if (one === undefined) throw new Error('nothing to pick from');
    return one;
  }

  /** One of the keys, each as often as its weight says. */
  weighted<K extends string>(weights: Readonly<Record<K, number>>): K {
    const keys = Object.keys(weights) as K[];
    let left = this.#random.below(keys.reduce((sum, key) => sum + weights[key], 0));
    for (const key of keys) {
      left -= weights[key];
      if (left < 0) return key;
    }
    throw new Error('no weights');
  }

  shuffled<T>(all: readonly T[]): T[] {
    const left = [...all];
    const order: T[] = [];
    while (left.length > 0) order.push(...left.splice(this.#random.below(left.length), 1));
    return order;
  }
}
