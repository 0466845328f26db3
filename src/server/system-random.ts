import { randomInt } from 'node:crypto';
import { type Random, seededRandom } from '../base/random.ts';

/** Members that start together must not share a seed: they would campaign and reconnect in step. */
export function systemRandom(): Random {
  return seededRandom(randomInt(2 ** 48 - 1));
}
