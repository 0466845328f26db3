/** How many requests took how long. */
export class LatencyHistogram {
  /** Sorted by microseconds. */
  readonly #counts: readonly (readonly [micros: number, count: number])[];
  readonly total: number;

  constructor(counts: Iterable<readonly [micros: number, count: number]>) {
    this.#counts = [...counts].filter(([, count]) => count > 0).sort(([a], [b]) => a - b);
    this.total = this.#counts.reduce((sum, [, count]) => sum + count, 0);
  }

  /** The least time that `percent` of all requests did not exceed; NaN without requests. */
  percentileMillis(percent: number): number {
    const rank = Math.max(1, Math.ceil((percent / 100) * this.total));
    let seen = 0;
    for (const [micros, count] of this.#counts) {
      seen += count;
      if (seen >= rank) return micros / 1000;
    }
    return Number.NaN;
  }
}

/**
 * wrk adds requests to its histogram that it never sent: for each one that took longer than twice the average interval
 * of a connection, those that would have been sent meanwhile by a client with a fixed rate (`stats_correct` in its
 * stats.c). h2load does not, and with a closed loop on both sides only what was really measured can be compared. The
 * addition is undone exactly, from the longest time downwards, because it only ever adds to shorter times.
 */
export function withoutPhantoms(
  counts: Iterable<readonly [micros: number, count: number]>,
  expectedIntervalMicros: number,
): Map<number, number> {
  const real = new Map(counts);
  for (const micros of [...real.keys()].sort((a, b) => b - a)) {
    if (micros < 2 * expectedIntervalMicros) break;
    const count = real.get(micros) ?? 0;
    if (count === 0) continue;
    for (let earlier = micros - expectedIntervalMicros; earlier > expectedIntervalMicros; ) {
      real.set(earlier, (real.get(earlier) ?? 0) - count);
      earlier -= expectedIntervalMicros;
    }
  }
  return real;
}
