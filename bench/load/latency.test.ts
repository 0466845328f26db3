import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LatencyHistogram, withoutPhantoms } from './latency.ts';

describe('latency: percentiles', () => {
  it('are the least time that so many requests did not exceed', () => {
    const histogram = new LatencyHistogram([
      [3000, 1],
      [1000, 98],
      [2000, 1],
    ]);
    assert.equal(histogram.total, 100);
    assert.equal(histogram.percentileMillis(50), 1);
    assert.equal(histogram.percentileMillis(98), 1);
    assert.equal(histogram.percentileMillis(99), 2);
    assert.equal(histogram.percentileMillis(100), 3);
  });

  it('of no requests are not a number', () => {
    assert.ok(Number.isNaN(new LatencyHistogram([]).percentileMillis(50)));
  });
});

describe('latency: what wrk adds is taken out again', () => {
  it('for one long request', () => {
    const corrected = asWrkCorrects(new Map([[1000, 1]]), 300);
    assert.deepEqual(
      [...corrected.keys()].sort((a, b) => a - b),
      [400, 700, 1000],
      'wrk pretends two more',
    );
    assert.deepEqual(positive(withoutPhantoms(corrected, 300)), new Map([[1000, 1]]));
  });

  it('for any histogram, exactly', () => {
    for (let seed = 1; seed <= 200; seed++) {
      const { histogram, interval } = randomHistogram(seed);
      const found = positive(withoutPhantoms(asWrkCorrects(histogram, interval), interval));
      assert.deepEqual(found, positive(histogram), `seed ${seed}`);
    }
  });
});

/** `stats_correct` of wrk 4.1.0, line by line. */
function asWrkCorrects(counts: ReadonlyMap<number, number>, expected: number): Map<number, number> {
  const data = new Map(counts);
  const max = Math.max(...counts.keys());
  for (let n = expected * 2; n <= max; n++) {
    const count = data.get(n) ?? 0;
    let m = n - expected;
    while (count > 0 && m > expected) {
      data.set(m, (data.get(m) ?? 0) + count);
      m -= expected;
    }
  }
  return data;
}

function randomHistogram(seed: number): { histogram: Map<number, number>; interval: number } {
  let state = seed;
  const below = (bound: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
  const interval = 1 + below(200);
  const histogram = new Map(Array.from({ length: 1 + below(50) }, () => [1 + below(3000), 1 + below(9)] as const));
  return { histogram, interval };
}

function positive(counts: ReadonlyMap<number, number>): Map<number, number> {
  return new Map([...counts].filter(([, count]) => count !== 0).sort(([a], [b]) => a - b));
}
