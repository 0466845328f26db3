import { setTimeout as delay } from 'node:timers/promises';
import { awake } from '../clusters/cluster.ts';
import type { ServerProcess } from '../clusters/server-process.ts';
import type { WriteReport } from '../generator/commands.ts';
import { GeneratorProcess } from '../generator/generator-process.ts';
import { monotonicMicros } from '../generator/open-client.ts';
import { MemorySampler } from '../memory-sampler.ts';
import { machineCpuSeconds } from '../process-usage.ts';
import { percentile } from '../statistics.ts';
import { catchUpTimeoutMs, caughtUp } from './caught-up.ts';
import { loadKeys, targetOf, verifyLoad } from './generators.ts';
import type { Figure, Ground, Outcome, Trial } from './trial.ts';

const prefix = 'keys/';
/** After the load: tables are merged, buffers written, garbage collected. */
const restMs = 10_000;
/** V8 compiles what is used often in the first seconds, and heaps grow to their working size. */
const warmUpMs = 15_000;
const baseMs = 20_000;
/** As in the comparisons of requests. Puts all over very many keys cost so much more that two cores cannot keep the rate. */
const writtenKeysMax = 10_000;
/** So many milliseconds of writes may be on their way: a follower hears of a commit a little later. */
const caughtUpWithinMs = 100;

const figureNames = {
  slowdown: 'put p99, catching up / before',
  leaderGrowth: 'growth of the leader',
  followerGrowth: 'growth of the follower',
} as const;

/** A member that was away for long gets the whole store from a leader that goes on serving. */
export const catchUpTrial: Trial = {
  name: 'catch-up',
  title: 'A member that was away gets everything, while writes go on',
  notes: [
    'One follower is down while all keys are written (as in "keys"), so that the log it would need is dropped. Then puts of 10,000 of those keys, at random, go to the leader at a fixed rate from one process, each at its time; after 15 s of them the 20 s begin that "before" stands for. The follower is started; it has caught up when it is ready and has applied all but the last 100 ms of writes.',
    'Growth of the leader: the highest resident memory until the follower has caught up, less the highest in the 20 s before its start. Growth of the follower: the same, less the highest in 20 s after a normal start: when it has caught up it is ended by SIGTERM and started again on the same data, with the same writes going on. Resident memory includes files that are mapped (LevelDB\'s tables, etcd\'s database), which the kernel can take back; "own" leaves them out.',
    'Everything shares the cores of one machine: that the follower needs them for what it takes in is a part of what slows the puts down.',
  ],
  goals: () => [
    { title: "the leader's put p99 at most doubles", figure: figureNames.slowdown, below: 2 },
    { title: 'the leader grows by at most 100 MiB', figure: figureNames.leaderGrowth, below: 100 },
    { title: 'the follower grows by at most 100 MiB', figure: figureNames.followerGrowth, below: 100 },
  ],
  isComparedByDefault: () => true,
  run,
};

async function run(ground: Ground): Promise<Outcome> {
  const { keys, valueBytes, writesPerSecond } = ground.options;
  const cluster = await ground.startCluster();
  const { leader, followers, term } = await awake(cluster);
  const [follower] = followers as readonly [ServerProcess];
  await follower.terminate();
  const load = await loadKeys(cluster, leader, { prefix, keys, rounds: 1, valueBytes });
  ground.say(`${keys} keys written with one follower down; at rest`);
  await delay(restMs);

  using writer = new GeneratorProcess();
  const target = targetOf(cluster, leader);
  const writes = Math.ceil((writesPerSecond * (warmUpMs + 3 * baseMs + 2 * catchUpTimeoutMs)) / 1000);
  const written = Math.min(keys, writtenKeysMax);
  await writer.call('beginWrites', { target, prefix, keys: written, valueBytes, writesPerSecond, writes });
  await delay(warmUpMs);
  const before = await observe([leader], () => delay(baseMs));
  ground.say('the follower starts');
  const writesMissing = (writesPerSecond * caughtUpWithinMs) / 1000;
  let wasFed: boolean | undefined;
  const catching = await observe([leader, follower], async () => {
    follower.start();
    wasFed = await caughtUp(cluster, leader, follower, writesMissing);
  });
  ground.say(`it has caught up after ${catching.seconds.toFixed(1)} s`);
  const after = await observe([leader], () => delay(baseMs));
  await follower.terminate();
  follower.start();
  await caughtUp(cluster, leader, follower, writesMissing);
  const normal = await observe([follower], () => delay(baseMs));
  const report = await writer.call('endWrites');

  const leadership = await awake(cluster);
  const wrong = await verifyLoad({ target: targetOf(cluster, follower), prefix, keys, valueBytes, samples: 100 });
  const [p99Before, p99Catching] = [latency(report, before, 99), latency(report, catching, 99)];
  const growth = growthOf(before, catching, normal);
  return {
    figures: [
      { name: 'time to catch up', unit: 's', value: catching.seconds },
      { name: 'put p99 before', unit: 'ms', value: p99Before },
      { name: 'put p99 while it catches up', unit: 'ms', value: p99Catching },
      { name: figureNames.slowdown, unit: '×', value: p99Catching / p99Before },
      { name: 'put p99 in the 20 s after', unit: 'ms', value: latency(report, after, 99) },
      { name: 'put p50 before', unit: 'ms', value: latency(report, before, 50) },
      { name: 'put p50 while it catches up', unit: 'ms', value: latency(report, catching, 50) },
      { name: 'longest put while it catches up', unit: 'ms', value: latency(report, catching, 100) },
      ...growth,
      { name: 'cores of the leader before', unit: '', value: before.cores[0] ?? Number.NaN },
      { name: 'cores of the leader while it catches up', unit: '', value: catching.cores[0] ?? Number.NaN },
      { name: 'cores of the follower while it catches up', unit: '', value: catching.cores[1] ?? Number.NaN },
      { name: 'cores of the whole machine before', unit: '', value: before.machineCores },
      { name: 'cores of the whole machine while it catches up', unit: '', value: catching.machineCores },
      { name: 'puts sent while it catches up', unit: '/s', value: sentIn(report, catching) / catching.seconds },
    ],
    problems: [
      ...wrong,
      ...(leadership.term === term ? [] : ['there was an election']),
      ...(wasFed === false ? ['the follower was fed from the log: it needed no snapshot'] : []),
      ...(report.lastFailure === undefined ? [] : [`a put failed: ${report.lastFailure}`]),
      ...[before, catching].flatMap((period) => rateProblems(report, period, writesPerSecond)),
    ],
    details: { load, before, catching, after, normal },
  };
}

interface Period {
  /** Of the machine's monotonic clock, which the generator shares. */
  readonly fromMicros: number;
  readonly toMicros: number;
  readonly seconds: number;
  /** By node, as they were named. */
  readonly peaksMiB: readonly number[];
  readonly ownPeaksMiB: readonly number[];
  /** Processor time of each node, and of the whole machine, a second. */
  readonly cores: readonly number[];
  readonly machineCores: number;
  readonly memorySamples: MemorySampler['samples'];
}

async function observe(nodes: readonly ServerProcess[], during: () => Promise<void>): Promise<Period> {
  using sampler = new MemorySampler(nodes);
  const cpuOf = (node: ServerProcess): number => (node.isRunning ? node.cpuSeconds : 0);
  const cpuBefore = nodes.map(cpuOf);
  const machineBefore = machineCpuSeconds();
  const fromMicros = monotonicMicros();
  await during();
  const toMicros = monotonicMicros();
  const seconds = (toMicros - fromMicros) / 1e6;
  return {
    fromMicros,
    toMicros,
    seconds,
    cores: nodes.map((node, i) => (cpuOf(node) - (cpuBefore[i] ?? 0)) / seconds),
    machineCores: (machineCpuSeconds() - machineBefore) / seconds,
    peaksMiB: sampler.peaksMiB,
    ownPeaksMiB: sampler.ownPeaksMiB,
    memorySamples: sampler.samples,
  };
}

/** Of the puts that were sent in a period, in milliseconds. */
function latency({ sentMicros, acknowledgedMicros }: WriteReport, period: Period, percent: number): number {
  const millis: number[] = [];
  for (const [i, sent] of sentMicros.entries()) {
    const acknowledged = acknowledgedMicros[i] ?? Number.NaN;
    if (isWithin(sent, period) && !Number.isNaN(acknowledged)) millis.push((acknowledged - sent) / 1000);
  }
  return percentile(millis, percent);
}

function sentIn({ sentMicros }: WriteReport, period: Period): number {
  return sentMicros.filter((sent) => isWithin(sent, period)).length;
}

function isWithin(micros: number, { fromMicros, toMicros }: Period): boolean {
  return micros >= fromMicros && micros < toMicros;
}

/** A generator that cannot keep its times asks less of the servers than it says. */
function rateProblems(report: WriteReport, period: Period, writesPerSecond: number): readonly string[] {
  const rate = sentIn(report, period) / period.seconds;
  if (rate >= 0.98 * writesPerSecond) return [];
  return [`the generator sent ${Math.round(rate)} puts/s where ${writesPerSecond} were due`];
}

function growthOf(before: Period, catching: Period, normal: Period): readonly Figure[] {
  const mebibytes = (name: string, value: number): Figure => ({ name, unit: 'MiB', value });
  const [leaderBefore, leaderPeak] = [before.peaksMiB[0], catching.peaksMiB[0]] as [number, number];
  const [followerNormal, followerPeak] = [normal.peaksMiB[0], catching.peaksMiB[1]] as [number, number];
  const [leaderOwn, followerOwn] = catching.ownPeaksMiB as [number, number];
  return [
    mebibytes('memory of the leader before', leaderBefore),
    mebibytes(figureNames.leaderGrowth, leaderPeak - leaderBefore),
    mebibytes('growth of its own memory, leader', leaderOwn - (before.ownPeaksMiB[0] ?? Number.NaN)),
    mebibytes('memory of the follower after a normal start', followerNormal),
    mebibytes(figureNames.followerGrowth, followerPeak - followerNormal),
    mebibytes('growth of its own memory, follower', followerOwn - (normal.ownPeaksMiB[0] ?? Number.NaN)),
  ];
}
