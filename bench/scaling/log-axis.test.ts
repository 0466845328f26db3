import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { logScale, scaleAround, short, ticksOf } from './log-axis.ts';

describe('logarithmic axes', () => {
  it('give each decade the same length', () => {
    const scale = logScale(1, 10_000);
    assert.equal(scale.at(1), 0);
    assert.equal(scale.at(100), 0.5);
    assert.equal(scale.at(10_000), 1);
  });

  for (const [values, low, high] of [
    [[130, 18_000], 100, 20_000],
    [[1000], 1000, 10_000],
    [[0.41, 700], 0.2, 1000],
    [[300, 320], 200, 2000],
    [[0, Number.NaN], 1, 10],
  ] as const) {
    it(`hold ${values.join(' and ')} between ${low} and ${high}`, () => {
      const scale = scaleAround(values);
      assert.deepEqual([scale.low, scale.high], [low, high]);
    });
  }

  it('have ticks at powers of ten', () => {
    assert.deepEqual(labels(0.5, 20_000), ['1', '10', '100', '1k', '10k']);
  });

  it('have more ticks where there are few powers of ten', () => {
    assert.deepEqual(labels(0.05, 2), ['0.05', '0.1', '0.2', '0.5', '1', '2']);
  });

  it('do not begin at zero', () => assert.throws(() => logScale(0, 10), /from 0 to 10/));

  it('have short labels', () => assert.deepEqual([0.05, 250, 25_000, 2e6].map(short), ['0.05', '250', '25k', '2M']));
});

function labels(low: number, high: number): readonly string[] {
  return ticksOf(logScale(low, high)).map(({ label }) => label);
}
