import type { ClusterName } from './clusters/cluster.ts';
import type { Measurement } from './measure.ts';
import { describeShape, type Shape } from './scenarios.ts';
import { medianOf, type Spread, spreadOf } from './statistics.ts';

/** All rounds of one contender in one scenario. */
export interface Row {
  readonly scenario: string;
  readonly outstanding: number;
  readonly cluster: ClusterName;
  readonly shape: Shape;
  readonly requestsPerSecond: Spread;
  readonly p50Millis: Spread;
  readonly p99Millis: Spread;
  readonly cpuMicrosPerRequest: number;
  readonly leaderRssMiB: number;
  readonly followerRssMiB: readonly number[];
  readonly generatorCores: number;
  readonly problems: readonly string[];
}

/** Balsa's figure divided by etcd's, of runs of the same round, which saw the machine in about the same mood. */
export interface Ratio {
  readonly scenario: string;
  readonly outstanding: number;
  readonly etcdShape: Shape;
  readonly requestsPerSecond: Spread;
  readonly p50: Spread;
  readonly p99: Spread;
  readonly isTrustworthy: boolean;
}

export function rowsOf(measurements: readonly Measurement[]): readonly Row[] {
  return [...groupBy(measurements, (run) => [run.scenario, run.outstanding, run.cluster, describeShape(run.shape)])]
    .map(([, runs]) => rowOf(runs))
    .filter((row) => row !== undefined);
}

/** Against every shape that etcd was driven in: of Balsa in the same one where it was, as over gRPC. */
export function ratiosOf(measurements: readonly Measurement[]): readonly Ratio[] {
  const etcd = measurements.filter(({ cluster }) => cluster === 'etcd');
  const balsa = measurements.filter(({ cluster }) => cluster === 'balsa');
  return [...groupBy(etcd, (run) => [run.scenario, run.outstanding, describeShape(run.shape)])]
    .map(([, theirs]) => ratioOf(balsa, theirs))
    .filter((ratio) => ratio !== undefined);
}

function rowOf(runs: readonly Measurement[]): Row | undefined {
  const [first] = runs;
  if (first === undefined) return undefined;
  return {
    scenario: first.scenario,
    outstanding: first.outstanding,
    cluster: first.cluster,
    shape: first.shape,
    requestsPerSecond: spreadOf(runs.map((run) => run.requestsPerSecond)),
    p50Millis: spreadOf(runs.map((run) => run.latencyMillis.p50)),
    p99Millis: spreadOf(runs.map((run) => run.latencyMillis.p99)),
    cpuMicrosPerRequest: medianOf(runs.map((run) => run.cpuMicrosPerRequest)),
    leaderRssMiB: medianOf(runs.map((run) => run.leader.rssMiB)),
    followerRssMiB: first.followers.map((_, i) => medianOf(runs.map((run) => run.followers[i]?.rssMiB ?? Number.NaN))),
    generatorCores: medianOf(runs.map((run) => run.generatorCores)),
    problems: runs.flatMap((run) => run.problems.map((problem) => `round ${run.round}: ${problem}`)),
  };
}

function ratioOf(balsa: readonly Measurement[], theirs: readonly Measurement[]): Ratio | undefined {
  const pairs = theirs.flatMap((their) => {
    const ours = balsa.filter(
      (run) => run.scenario === their.scenario && run.outstanding === their.outstanding && run.round === their.round,
    );
    const our = ours.find(({ shape }) => describeShape(shape) === describeShape(their.shape)) ?? ours[0];
    return our === undefined ? [] : [{ our, their }];
  });
  const [first] = pairs;
  if (first === undefined) return undefined;
  return {
    scenario: first.their.scenario,
    outstanding: first.their.outstanding,
    etcdShape: first.their.shape,
    requestsPerSecond: spreadOf(pairs.map(({ our, their }) => our.requestsPerSecond / their.requestsPerSecond)),
    p50: spreadOf(pairs.map(({ our, their }) => our.latencyMillis.p50 / their.latencyMillis.p50)),
    p99: spreadOf(pairs.map(({ our, their }) => our.latencyMillis.p99 / their.latencyMillis.p99)),
    isTrustworthy: pairs.every(({ our, their }) => our.problems.length + their.problems.length === 0),
  };
}

function groupBy<T>(items: readonly T[], partsOf: (item: T) => readonly (string | number)[]): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = partsOf(item).join('|');
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
