import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type CurveName, curveOf, type PointFigures } from './curve.ts';
import { sentencesOf } from './sentences.ts';

describe('what a curve says', () => {
  it('is flat within one and a half', () => {
    assert.deepEqual(ofCpu('keys', [1000, 100], [10_000, 149]), [
      'CPU per put is flat from 1,000 to 10,000 keys: 100 to 149 µs.',
    ]);
  });

  it('grows where it should be flat', () => {
    assert.deepEqual(ofCpu('connections', [1, 100], [64, 110], [4096, 180]), [
      'CPU per put grows 1.8-fold from 1 to 4,096 connections.',
    ]);
  });

  it('falls first and grows then', () => {
    assert.deepEqual(ofCpu('connections', [1, 2000], [64, 100], [256, 110], [4096, 200]), [
      'CPU per put falls 20-fold from 1 to 64 connections and grows 2.0-fold from 64 to 4,096 connections.',
    ]);
  });

  it('does not speak of the part that is flat', () => {
    assert.deepEqual(ofCpu('watchers', [0, 100], [100, 90], [10_000, 200]), [
      'CPU per put grows 2.2-fold from 100 to 10,000 watchers.',
    ]);
  });

  it('has a sentence for each node, since more nodes have to take more', () => {
    assert.deepEqual(ofCpu('nodes', [1, 100], [3, 300], [7, 700]), [
      'CPU per put grows 7.0-fold from 1 to 7 nodes.',
      'CPU per put and node is flat from 1 to 7 nodes: 100 to 100 µs.',
    ]);
  });

  it('has the cost of each further KiB, since larger values have to take more', () => {
    assert.deepEqual(ofCpu('value-size', [1024, 101], [65_536, 164], [1_048_576, 2084]), [
      'CPU per put goes from 101 µs at 1 KiB to 2,084 µs at 1 MiB: ' +
        '1.0 µs for each KiB more up to 64 KiB, 2.0 µs from there on.',
    ]);
  });

  it('needs two points', () => {
    assert.deepEqual(ofCpu('keys', [1000, 100]), []);
    assert.deepEqual(ofCpu('keys'), []);
  });

  it('is said of gets and of throughput as well', () => {
    const points = [1, 3].map((x) => ({ x, get: { ...figures(100 * x), requestsPerSecond: 1200 / x } }));
    assert.deepEqual(sentencesOf(curveOf('nodes', points, [])), [
      'CPU per get grows 3.0-fold from 1 to 3 nodes.',
      'CPU per get and node is flat from 1 to 3 nodes: 100 to 100 µs.',
      'Throughput of gets falls 3.0-fold from 1 to 3 nodes.',
    ]);
  });
});

function ofCpu(name: CurveName, ...places: readonly (readonly [x: number, micros: number])[]): readonly string[] {
  const points = places.map(([x, micros]) => ({ x, put: figures(micros) }));
  return sentencesOf(curveOf(name, points, [])).filter((sentence) => sentence.startsWith('CPU'));
}

function figures(cpuMicrosPerRequest: number): PointFigures {
  return { requestsPerSecond: 1000, p50Millis: 1, p99Millis: 2, cpuMicrosPerRequest, generatorCores: 0.5 };
}
