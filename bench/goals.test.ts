import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Goal, goalsOver, isAskedFor, judge } from './goals.ts';
import type { Measurement } from './measure.ts';
import { grpcShapes, http1Shapes, outstandingOf, type Shape, scenarios } from './scenarios.ts';
import { ratiosOf, rowsOf } from './summary.ts';

const throughput: Goal = {
  title: 'twice as many puts',
  protocols: ['rest', 'grpc'],
  scenario: 'put-leader',
  outstanding: 256,
  measure: 'requestsPerSecond',
  bound: { atLeast: 2 },
};
const latency: Goal = { ...throughput, title: 'not slower', measure: 'p50', bound: { atMost: 1 } };
const http: Shape = { connections: 256, streams: 1 };
const few: Shape = { connections: 4, streams: 64 };
const many: Shape = { connections: 64, streams: 4 };

describe('goals', () => {
  it('are judged by the median of the ratios of the same round', () => {
    const ratios = ratiosOf([
      run({ round: 1, shape: http, requestsPerSecond: 300 }),
      run({ round: 1, cluster: 'etcd', shape: few, requestsPerSecond: 100 }),
      run({ round: 2, shape: http, requestsPerSecond: 100 }),
      run({ round: 2, cluster: 'etcd', shape: few, requestsPerSecond: 50 }),
      run({ round: 3, shape: http, requestsPerSecond: 100 }),
      run({ round: 3, cluster: 'etcd', shape: few, requestsPerSecond: 100 }),
    ]);
    const [verdict] = judge(throughput, ratios);
    assert.deepEqual(verdict?.ratio, { median: 2, min: 1, max: 3 });
    assert.equal(verdict.outcome, 'met');
  });

  it('are judged against each shape that etcd was driven in', () => {
    const ratios = ratiosOf([
      run({ shape: http, requestsPerSecond: 300, p50: 2 }),
      run({ cluster: 'etcd', shape: few, requestsPerSecond: 200, p50: 3 }),
      run({ cluster: 'etcd', shape: many, requestsPerSecond: 100, p50: 1 }),
    ]);
    const verdicts = (goal: Goal) =>
      judge(goal, ratios).map(({ etcdShape, ratio, outcome }) => [etcdShape, ratio?.median, outcome]);
    assert.deepEqual(verdicts(throughput), [
      [few, 1.5, 'missed'],
      [many, 3, 'met'],
    ]);
    assert.deepEqual(verdicts(latency), [
      [few, 2 / 3, 'met'],
      [many, 2, 'missed'],
    ]);
  });

  it('are judged in the same shape where both were driven in it, whichever was measured first', () => {
    const ratios = ratiosOf([
      run({ shape: few, requestsPerSecond: 300 }),
      run({ shape: many, requestsPerSecond: 100 }),
      run({ cluster: 'etcd', shape: few, requestsPerSecond: 100 }),
      run({ cluster: 'etcd', shape: many, requestsPerSecond: 100 }),
    ]);
    assert.deepEqual(
      judge(throughput, ratios).map(({ etcdShape, ratio }) => [etcdShape, ratio?.median]),
      [
        [few, 3],
        [many, 1],
      ],
    );
  });

  it('are not met by figures that a check failed for', () => {
    const ratios = ratiosOf([
      run({ shape: http, requestsPerSecond: 900, problems: ['3 requests failed'] }),
      run({ cluster: 'etcd', shape: few, requestsPerSecond: 100 }),
    ]);
    assert.equal(judge(throughput, ratios)[0]?.outcome, 'not trustworthy');
  });

  it('are not judged without etcd', () => {
    assert.equal(judge(throughput, ratiosOf([run({ shape: http })]))[0]?.outcome, 'not measured');
  });
});

describe('goals over REST and over gRPC', () => {
  it('ask for more of REST', () => {
    const ofPuts = (protocol: 'rest' | 'grpc') =>
      goalsOver(protocol)
        .filter(({ scenario, outstanding }) => scenario === 'put-leader' && outstanding === 256)
        .map(({ measure, bound }) => ({ measure, ...bound }));
    assert.deepEqual(ofPuts('rest'), [
      { measure: 'requestsPerSecond', atLeast: 1.2 },
      { measure: 'requestsPerSecond', atLeast: 2.5 },
      { measure: 'p99', atMost: 0.6 },
    ]);
    assert.deepEqual(ofPuts('grpc'), [
      { measure: 'requestsPerSecond', atLeast: 1.2 },
      { measure: 'requestsPerSecond', atLeast: 1.5 },
    ]);
  });

  it('need some kinds of requests of one protocol alone', () => {
    assert.equal(isAskedFor('grpc', 'txn-leader', 256), true);
    assert.equal(isAskedFor('rest', 'txn-leader', 256), false);
    assert.equal(isAskedFor('rest', 'put-leader', 1000), true);
    assert.equal(isAskedFor('grpc', 'put-leader', 1000), false);
  });

  it('can all be measured: of a scenario that there is, with exactly so many outstanding on both sides', () => {
    for (const protocol of ['rest', 'grpc'] as const) {
      for (const { title, scenario, outstanding } of goalsOver(protocol)) {
        assert.ok(
          scenarios.some(({ name }) => name === scenario),
          title,
        );
        const ours = protocol === 'rest' ? http1Shapes(outstanding) : grpcShapes(outstanding);
        for (const shape of [...ours, ...grpcShapes(outstanding)]) {
          assert.equal(outstandingOf(shape), outstanding, title);
        }
      }
    }
  });

  it('have titles that tell them apart', () => {
    for (const protocol of ['rest', 'grpc'] as const) {
      const titles = goalsOver(protocol).map(({ title }) => title);
      assert.equal(new Set(titles).size, titles.length);
    }
  });

  it('are asked of etcd with many outstanding over few connections', () => {
    assert.deepEqual(grpcShapes(1024), [{ connections: 16, streams: 64 }]);
    assert.deepEqual(grpcShapes(1000), [{ connections: 20, streams: 50 }]);
  });
});

it('summary: a row is one contender in one scenario', () => {
  const rows = rowsOf([
    run({ round: 1, shape: http, requestsPerSecond: 100 }),
    run({ round: 2, shape: http, requestsPerSecond: 200, problems: ['an election'] }),
    run({ round: 1, cluster: 'etcd', shape: few }),
    run({ round: 1, cluster: 'etcd', shape: many }),
  ]);
  assert.deepEqual(
    rows.map(({ cluster, shape }) => [cluster, shape.connections]),
    [
      ['balsa', 256],
      ['etcd', 4],
      ['etcd', 64],
    ],
  );
  assert.deepEqual(rows[0]?.requestsPerSecond, { median: 150, min: 100, max: 200 });
  assert.deepEqual(rows[0]?.problems, ['round 2: an election']);
});

type Facts = Partial<Pick<Measurement, 'cluster' | 'round' | 'requestsPerSecond' | 'problems'>> & {
  readonly shape: Shape;
  readonly p50?: number;
};

function run({
  shape,
  cluster = 'balsa',
  round = 1,
  requestsPerSecond = 1,
  p50 = 1,
  problems = [],
}: Facts): Measurement {
  const node = { cores: 0.5, rssMiB: 80 };
  return {
    cluster,
    scenario: 'put-leader',
    outstanding: shape.connections * shape.streams,
    shape,
    round,
    requests: requestsPerSecond,
    seconds: 1,
    requestsPerSecond,
    latencyMillis: { p50, p90: p50, p99: p50, max: p50 },
    cpuMicrosPerRequest: 1,
    leader: node,
    followers: [node, node],
    generatorCores: 0.1,
    benchCores: 0,
    otherCores: 0,
    problems,
  };
}
