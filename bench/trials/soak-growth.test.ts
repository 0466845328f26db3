import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { difference, endsOf, largestGrowth, percentMore, ratio, type SoakSample } from './soak-growth.ts';

describe('growth in a soak', () => {
  it('is between the second fifth, when all has settled, and the last', () => {
    const series = [900, 10, 20, 500, 40, 60, 50, 70, 80, 100];
    const ends = endsOf(
      series.map((value) => sample([value])),
      ({ putP99Millis }) => putP99Millis,
    );
    assert.deepEqual(ends, { early: (20 + 500) / 2, late: (80 + 100) / 2 });
  });

  it('is that of the node that grew most', () => {
    const samples = [1, 2, 3, 4, 5].map((step) => sample([100, 100 * step, 50]));
    assert.equal(
      largestGrowth(samples, ({ rssMiB }) => rssMiB, percentMore),
      150,
    );
    assert.equal(
      largestGrowth(samples, ({ descriptors }) => descriptors, difference),
      300,
    );
  });

  it('is no figure where there are too few samples', () => {
    assert.ok(Number.isNaN(largestGrowth([], ({ rssMiB }) => rssMiB, ratio)));
    assert.ok(Number.isNaN(endsOf([sample([1])], ({ putP99Millis }) => putP99Millis).early));
  });
});

/** Of nodes with such memory and as many descriptors; the latencies are the first one's number. */
function sample(values: readonly number[]): SoakSample {
  const [millis = Number.NaN] = values;
  return {
    seconds: 0,
    nodes: values.map((value) => ({ rssMiB: value, ownMiB: value, descriptors: value, tables: 0 })),
    sent: 0,
    answered: 0,
    failed: 0,
    putP50Millis: millis,
    putP99Millis: millis,
    getP50Millis: millis,
    getP99Millis: millis,
  };
}
