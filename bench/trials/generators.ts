import type { Cluster } from '../clusters/cluster.ts';
import type { ServerProcess } from '../clusters/server-process.ts';
import type { LoadJob, LoadReport, Target, VerifyJob } from '../generator/commands.ts';
import { GeneratorProcess } from '../generator/generator-process.ts';
import { machineCpuSeconds } from '../process-usage.ts';

/** Enough that one of them waits for its turn at most half of the time, on a machine of two cores. */
const loaders = 2;
const outstanding = 64;

export type Load = Pick<LoadJob, 'prefix' | 'keys' | 'rounds' | 'valueBytes' | 'putsPerTransaction'>;

export interface LoadFigures extends LoadReport {
  readonly seconds: number;
  readonly keysPerSecond: number;
  /** At the number of loaders they are the limit, not the cluster. */
  readonly generatorCores: number;
  /** Of all three nodes. */
  readonly clusterCores: number;
  readonly machineCores: number;
}

export function targetOf(cluster: Cluster, node: ServerProcess): Target {
  return { cluster: cluster.name, url: node.clientUrl };
}

/** Writes keys in transactions, of 100 puts as a rule, 64 of them under way at the same time, from two processes. */
export async function loadKeys(cluster: Cluster, node: ServerProcess, load: Load): Promise<LoadFigures> {
  const generators = Array.from({ length: loaders }, () => new GeneratorProcess());
  try {
    await Promise.all(generators.map((generator) => generator.ready()));
    const generatorBefore = sum(generators.map(({ cpuSeconds }) => cpuSeconds));
    const cpuBefore = cpuSecondsOf(cluster);
    const machineBefore = machineCpuSeconds();
    const start = performance.now();
    const reports = await Promise.all(
      generators.map((generator, share) =>
        generator.call('load', {
          ...load,
          target: targetOf(cluster, node),
          share,
          shares: loaders,
          // As the other scenarios: 64 connections of HTTP/1.1, 4 × 16 of gRPC.
          connections: (cluster.name === 'balsa' ? outstanding : 4) / loaders,
          outstanding: outstanding / loaders,
        }),
      ),
    );
    const seconds = (performance.now() - start) / 1000;
    return {
      transactions: sum(reports.map(({ transactions }) => transactions)),
      retries: sum(reports.map(({ retries }) => retries)),
      lastFailure: reports.map(({ lastFailure }) => lastFailure).find((reason) => reason !== undefined),
      seconds,
      keysPerSecond: (load.keys * load.rounds) / seconds,
      generatorCores: (sum(generators.map(({ cpuSeconds }) => cpuSeconds)) - generatorBefore) / seconds,
      clusterCores: (cpuSecondsOf(cluster) - cpuBefore) / seconds,
      machineCores: (machineCpuSeconds() - machineBefore) / seconds,
    };
  } finally {
    for (const generator of generators) generator[Symbol.dispose]();
  }
}

/** What is wrong with what was loaded, as the server itself tells it. */
export async function verifyLoad(job: VerifyJob): Promise<readonly string[]> {
  using generator = new GeneratorProcess();
  const report = await generator.call('verify', job).catch((reason: Error) => reason.message);
  // What was measured is worth showing all the same.
  if (typeof report === 'string') return [`what was written could not be checked: ${report}`];
  const { count, wrongSamples } = report;
  return [
    ...(count === job.keys ? [] : [`${job.keys} keys were written, and the server counts ${count}`]),
    ...(wrongSamples === 0 ? [] : [`${wrongSamples} of ${job.samples} sampled keys did not have their value`]),
  ];
}

function cpuSecondsOf(cluster: Cluster): number {
  return sum(cluster.nodes.filter(({ isRunning }) => isRunning).map(({ cpuSeconds }) => cpuSeconds));
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
