import { type Answered, awake, type Cluster, type ClusterName, type Leadership } from './clusters/cluster.ts';
import type { ServerProcess } from './clusters/server-process.ts';
import { benchKeys, type KeySet, keyOf, prefixKeyCount, prefixOf } from './keys.ts';
import type { LoadResult } from './load/load-result.ts';
import { endedChildrenCpuSeconds, machineCpuSeconds, usageOf } from './process-usage.ts';
import { isWrite, outstandingOf, type Scenario, type Shape, type Work } from './scenarios.ts';

/** One run of one contender. */
export interface Measurement {
  readonly cluster: ClusterName;
  readonly scenario: string;
  readonly outstanding: number;
  readonly shape: Shape;
  readonly round: number;
  readonly requests: number;
  readonly seconds: number;
  readonly requestsPerSecond: number;
  readonly latencyMillis: { readonly p50: number; readonly p90: number; readonly p99: number; readonly max: number };
  /** User and system time of all nodes. */
  readonly cpuMicrosPerRequest: number;
  readonly leader: NodeLoad;
  readonly followers: readonly NodeLoad[];
  /** Cores taken by the generator and by the benchmark itself. At 1.0 a generator is the limit, not the cluster. */
  readonly generatorCores: number;
  readonly benchCores: number;
  /** Taken by processes that have nothing to do with the benchmark. */
  readonly otherCores: number;
  /** Why the figures cannot be trusted; empty if they can. */
  readonly problems: readonly string[];
}

export interface NodeLoad {
  readonly cores: number;
  readonly rssMiB: number;
}

export interface Run {
  readonly cluster: Cluster;
  readonly scenario: Scenario;
  readonly shape: Shape;
  readonly round: number;
  readonly seconds: number;
  /** The caller has warmed the cluster up for this very load. */
  readonly isWarm?: boolean;
  /** Absent: those that `fill` writes. */
  readonly keySet?: KeySet;
}

const warmUpSeconds = 2;
/** A server runs for weeks, and V8 compiles what is used often in the first half minute: it is not to be measured. */
const firstWarmUpSeconds = 10;

/** Warms up, takes one run, and checks with the cluster that what the generator counted really happened. */
export async function measure(run: Run): Promise<Measurement> {
  const { cluster, scenario, shape, round, seconds, keySet } = run;
  const { leader, followers } = await awake(cluster);
  const target = scenario.role === 'leader' ? leader : followers[0];
  if (target === undefined) throw new Error(`${cluster.name} has no ${scenario.role}`);
  const load = { work: scenario.work, target, shape, seed: round, keySet };
  const warmUp = round === 1 ? firstWarmUpSeconds : warmUpSeconds;
  if (run.isWarm !== true) await cluster.drive({ ...load, seconds: warmUp });

  const before = await observe(cluster, scenario, target);
  const result = await cluster.drive({ ...load, seconds });
  const usage = usageSince(before, seconds);
  const after = await observe(cluster, scenario, target);

  const share = (node: ServerProcess): NodeLoad => ({
    cores: usage.cores.get(node) ?? Number.NaN,
    rssMiB: usageOf(node.pid).rssBytes / 2 ** 20,
  });
  // A put that was done counts for what it cost, also if its answer came too late to be one of the run.
  const requests = Math.max(1, result.succeeded, revisionsBetween(before, after) ?? 0);
  return {
    cluster: cluster.name,
    scenario: scenario.name,
    outstanding: outstandingOf(shape),
    shape,
    round,
    requests: result.succeeded,
    seconds: result.seconds,
    requestsPerSecond: result.succeeded / result.seconds,
    latencyMillis: {
      p50: result.latency.percentileMillis(50),
      p90: result.latency.percentileMillis(90),
      p99: result.latency.percentileMillis(99),
      max: result.latency.percentileMillis(100),
    },
    cpuMicrosPerRequest: (1e6 * usage.clusterCpuSeconds) / requests,
    leader: share(leader),
    followers: followers.map(share),
    generatorCores: usage.generatorCores,
    benchCores: usage.benchCores,
    otherCores: usage.otherCores,
    problems: findProblems({ scenario, shape, result, before, after, keySet: keySet ?? benchKeys }),
  };
}

/** What is compared before and after a run. */
interface Observation {
  readonly leadership: Leadership | undefined;
  readonly answered: Answered | undefined;
  /** In one answer, or why there was none; undefined if the scenario is not a read of a prefix. */
  readonly keysOfPrefix: number | string | undefined;
  readonly cpuSeconds: ReadonlyMap<ServerProcess, number>;
  readonly generatorCpuSeconds: number;
  readonly bench: NodeJS.CpuUsage;
  readonly machineCpuSeconds: number;
}

async function observe(cluster: Cluster, scenario: Scenario, target: ServerProcess): Promise<Observation> {
  const answered = await cluster.answered(scenario.work, target);
  const keysOfPrefix = scenario.work === 'prefix' ? await countPrefix(cluster, target) : undefined;
  const leadership = await cluster.leadership();
  return {
    leadership,
    answered,
    keysOfPrefix,
    cpuSeconds: new Map(cluster.nodes.map((node) => [node, usageOf(node.pid).cpuSeconds])),
    generatorCpuSeconds: endedChildrenCpuSeconds(),
    bench: process.cpuUsage(),
    machineCpuSeconds: machineCpuSeconds(),
  };
}

/** A server that a run has overloaded may refuse: that is a finding about the run, and no reason to end all others. */
async function countPrefix(cluster: Cluster, target: ServerProcess): Promise<number | string> {
  return cluster.keysInAnswer(prefixOf(0), target).catch((reason: unknown) => {
    return reason instanceof Error ? reason.message : String(reason);
  });
}

function usageSince(before: Observation, seconds: number) {
  const cpuSeconds = new Map(
    [...before.cpuSeconds].map(([node, earlier]) => [node, usageOf(node.pid).cpuSeconds - earlier]),
  );
  const cluster = [...cpuSeconds.values()].reduce((sum, value) => sum + value, 0);
  const generator = endedChildrenCpuSeconds() - before.generatorCpuSeconds;
  const own = process.cpuUsage(before.bench);
  const bench = (own.user + own.system) / 1e6;
  const machine = machineCpuSeconds() - before.machineCpuSeconds;
  return {
    clusterCpuSeconds: cluster,
    cores: new Map([...cpuSeconds].map(([node, value]) => [node, value / seconds])),
    generatorCores: generator / seconds,
    benchCores: bench / seconds,
    // The clocks tick in hundredths of a second, so a quiet machine can come out slightly below nothing.
    otherCores: Math.max(0, machine - cluster - generator - bench) / seconds,
  };
}

interface Evidence {
  readonly scenario: Scenario;
  readonly shape: Shape;
  readonly result: LoadResult;
  readonly before: Observation;
  readonly after: Observation;
  readonly keySet: KeySet;
}

function revisionsBetween(before: Observation, after: Observation): number | undefined {
  if (before.leadership === undefined || after.leadership === undefined) return undefined;
  return after.leadership.revision - before.leadership.revision;
}

/** That of a put or transaction is proved by the revision. */
function leastAnswerBytes(work: Work, { valueBytes }: KeySet): number {
  if (isWrite(work)) return 0;
  return work === 'prefix' ? prefixKeyCount * (keyOf(0).length + valueBytes) : valueBytes;
}

/** A generator's count alone is not believed. */
function findProblems({ scenario, shape, result, before, after, keySet }: Evidence): string[] {
  const problems: string[] = [];
  // Requests still under way when a run ends are executed but not counted: those of the warm-up and of the run itself.
  const underWay = 2 * outstandingOf(shape);
  if (result.succeeded === 0) problems.push('no request succeeded');
  if (result.failed > 0) problems.push(`${result.failed} requests failed`);
  if (result.bytesPerAnswer < leastAnswerBytes(scenario.work, keySet)) {
    const bytes = Math.round(result.bytesPerAnswer);
    problems.push(`an answer to a ${scenario.work} had ${bytes} bytes, which cannot hold what was asked for`);
  }
  for (const { keysOfPrefix = prefixKeyCount } of [before, after]) {
    if (typeof keysOfPrefix === 'string') problems.push(`an answer to a prefix could not be counted: ${keysOfPrefix}`);
    else if (keysOfPrefix !== prefixKeyCount) problems.push(`an answer to a prefix held ${keysOfPrefix} keys`);
  }
  if (before.leadership === undefined || after.leadership === undefined) {
    problems.push('the cluster had no leader before or after the run');
  } else {
    if (before.leadership.term !== after.leadership.term) problems.push('there was an election during the run');
    const revisions = revisionsBetween(before, after) ?? Number.NaN;
    const expected = isWrite(scenario.work) ? result.succeeded : 0;
    if (revisions < expected || revisions > expected + (isWrite(scenario.work) ? underWay : 0)) {
      problems.push(`the revision went up by ${revisions}, with ${expected} writes acknowledged`);
    }
  }
  if (before.answered !== undefined && after.answered !== undefined) {
    const withSuccess = after.answered.withSuccess - before.answered.withSuccess;
    const withError = after.answered.withError - before.answered.withError;
    if (withSuccess < result.succeeded) {
      problems.push(`the server counted ${withSuccess} successes, the generator ${result.succeeded}`);
    }
    // Cut off when the generator closed its connections.
    if (withError > underWay) problems.push(`the server counted ${withError} errors`);
  }
  return problems;
}
