/**
 * Numbers from 0 up to, not including, `count` in an order without neighbours, each once: the golden section spreads
 * them evenly. Keys that arrive in order would spare LevelDB all merging of tables, which is not how keys arrive.
 *
 * `count` up to 50 million; above that the product is no exact number any more.
 */
export function scattered(count: number): (place: number) => number {
  let stride = Math.max(1, Math.floor(count * 0.618));
  while (greatestCommonDivisor(stride, count) !== 1) stride--;
  return (place) => (place * stride) % count;
}

/** All keys have one length, so that each costs the same. */
export function numberedKey(prefix: string, index: number): string {
  return prefix + String(index).padStart(8, '0');
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
