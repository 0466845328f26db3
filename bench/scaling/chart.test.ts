import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { drawChart } from './chart.ts';
import { type Curve, curveOf, type PointFigures } from './curve.ts';

const text = { title: 'How cost grows', lines: ['a machine'] };

describe('the chart of scaling', () => {
  it('has a line for puts and one for gets, and two each of latency', () => {
    const svg = drawChart([curve([1, 64, 4096])], text);
    assert.equal(linesIn(svg).length, 2 + 4 + 2);
    assert.equal(svg.match(/stroke-dasharray/g)?.length, 2 + 1, 'those of p99, and the legend');
  });

  it('puts the first point at the left end of the axis and the last at the right, each with its label', () => {
    const [line = ''] = linesIn(drawChart([curve([1, 64, 4096])], text));
    assert.deepEqual(
      placesOf(line).map(([x]) => x),
      [52, 213, 374],
    );
    assert.match(drawChart([curve([1, 64, 4096])], text), />4,096<\/text>/);
  });

  it('leaves out what was not measured', () => {
    const points = [point(1), { x: 64, get: figures }, point(4096)];
    const [put = '', get = ''] = linesIn(drawChart([curveOf('connections', points, [])], text));
    assert.equal(placesOf(put).length, 2);
    assert.equal(placesOf(get).length, 3);
  });

  it('has a place for none at all, which a logarithm has not', () => {
    const svg = drawChart([curveOf('watchers', [point(0), point(100), point(1000)], [])], text);
    const [line = ''] = linesIn(svg);
    assert.deepEqual(
      placesOf(line).map(([x]) => x),
      [52, 213, 374],
    );
  });

  for (const xs of [[], [1]]) {
    it(`is drawn with ${xs.length} points`, () => assert.doesNotMatch(drawChart([curve(xs)], text), /NaN|Infinity/));
  }

  it('says what it is asked to, whatever that is', () => {
    const svg = drawChart([], { title: 'a < b & "c"', lines: [] });
    assert.match(svg, /<title>a &lt; b &amp; &quot;c&quot;<\/title>/);
  });
});

const figures: PointFigures = {
  requestsPerSecond: 1000,
  p50Millis: 1,
  p99Millis: 2,
  cpuMicrosPerRequest: 100,
  generatorCores: 0.5,
};

function point(x: number) {
  return { x, put: figures, get: figures };
}

function curve(xs: readonly number[]): Curve {
  return curveOf('connections', xs.map(point), []);
}

/** Paths through points; those of axes, ticks and the legend are drawn otherwise. */
function linesIn(svg: string): readonly string[] {
  return [...svg.matchAll(/<path d="(M[\d.]+ [\d.]+(?:L[\d.]+ [\d.]+)+)"/g)].map(([, path = '']) => path);
}

function placesOf(line: string): readonly (readonly number[])[] {
  return line
    .slice(1)
    .split('L')
    .map((place) => place.split(' ').map(Number));
}
