import { setTimeout as delay } from 'node:timers/promises';
import { awake, type Cluster } from '../clusters/cluster.ts';
import type { MixedJob, MixedReport } from '../generator/commands.ts';
import { GeneratorProcess } from '../generator/generator-process.ts';
import { memoryOf, openFilesOf } from '../process-usage.ts';
import { percentile } from '../statistics.ts';
import { loadKeys, sum, targetOf } from './generators.ts';
import {
  difference,
  endsOf,
  largestGrowth,
  percentMore,
  ratio,
  type SoakNode,
  type SoakSample,
} from './soak-growth.ts';
import type { Figure, Ground, Outcome, Trial } from './trial.ts';

const prefix = 'soak/';
const keys = 10_000;
const generatorCount = 2;
/** Of each generator, while the most that the cluster can take is measured. */
const outstanding = 32;
const warmUpSeconds = 10;
const saturatedSeconds = 10;
const shareOfMost = 0.7;
const sampleSecondsMax = 10;
/** A short run has enough samples as well. */
const samplesMin = 30;
/** As kube-apiserver has etcd do it; a shorter run has to see it happen as well. */
const retentionSecondsMax = 300;

const figureNames = {
  failed: 'failed requests',
  descriptors: 'growth of descriptors, tables aside',
  resident: 'growth of resident memory',
  own: 'growth of own memory',
  putSlowdown: 'put p99, last fifth / second fifth',
  getSlowdown: 'get p99, last fifth / second fifth',
} as const;

/** A load that could go on for ever, and what creeps up under it. */
export const soakTrial: Trial = {
  name: 'soak',
  title: 'A steady load for long',
  notes: [
    '10,000 keys; puts and linearizable gets, half and half, through all nodes in turn, from two processes over 16 connections each to each node. First as fast as answers come with 64 requests waited for, 10 s to warm up and 10 s to be counted; then at 70 % of that rate, each request at its time.',
    'Auto-compaction is set as an operator would: periodic, with 5 minutes of history (a sixth of a run of less than 30 minutes). Without it history grows for ever, and tables and memory with it.',
    'Every 10 s (a thirtieth of a run of less than 5 minutes): memory and open files of each node, p50 and p99 of the requests of that interval. Growth is between the means of the second fifth of the run and of the last, of the node that grew most.',
    'Resident memory includes files that are mapped, which the kernel can take back; "own" leaves them out. LevelDB keeps its tables open, and their number goes up and down with its merges: they are a figure, and the goal is about all other descriptors.',
  ],
  goals: () => [
    { title: 'no request fails', figure: figureNames.failed, below: 1 },
    { title: 'descriptors do not grow', figure: figureNames.descriptors, below: 1 },
    { title: 'resident memory grows by less than 10 %', figure: figureNames.resident, below: 10 },
    { title: 'own memory grows by less than 10 %', figure: figureNames.own, below: 10 },
    { title: "puts' p99 less than 1.5 times", figure: figureNames.putSlowdown, below: 1.5 },
    { title: "gets' p99 less than 1.5 times", figure: figureNames.getSlowdown, below: 1.5 },
  ],
  isComparedByDefault: () => false,
  run,
};

async function run(ground: Ground): Promise<Outcome> {
  const { soakMinutes, valueBytes } = ground.options;
  const seconds = 60 * soakMinutes;
  const retention = Math.min(retentionSecondsMax, seconds / 6);
  const flags = ['--auto-compaction-mode=periodic', `--auto-compaction-retention=${retention}s`];
  const cluster = await ground.startCluster(flags);
  const { leader, term } = await awake(cluster);
  await loadKeys(cluster, leader, { prefix, keys, rounds: 1, valueBytes });
  const job: MixedJob = {
    targets: cluster.nodes.map((node) => targetOf(cluster, node)),
    prefix,
    keys,
    valueBytes,
  };
  const generators = Array.from({ length: generatorCount }, () => new GeneratorProcess());
  try {
    const most = await measureMost(generators, job);
    const perSecond = shareOfMost * most;
    ground.say(`it can take ${Math.round(most)} requests/s; ${Math.round(perSecond)}/s for ${soakMinutes} minutes`);
    const cpuBefore = sum(generators.map(({ cpuSeconds }) => cpuSeconds));
    const { samples, lastFailure } = await soak(ground, cluster, generators, { job, perSecond, seconds });
    const generatorCores = (sum(generators.map(({ cpuSeconds }) => cpuSeconds)) - cpuBefore) / seconds;
    const after = await awake(cluster);
    return {
      figures: [
        { name: 'requests that it can take', unit: '/s', value: most },
        { name: 'requests that are sent', unit: '/s', value: sum(samples.map(({ sent }) => sent)) / seconds },
        { name: 'cores of the generator', unit: '', value: generatorCores },
        ...figuresOf(samples),
      ],
      problems: [
        ...(lastFailure === undefined ? [] : [`a request failed: ${lastFailure}`]),
        ...(after.term === term ? [] : ['there was an election']),
        ...rateProblems(samples, perSecond * seconds),
      ],
      details: { flags, perSecond, samples },
    };
  } finally {
    for (const generator of generators) generator[Symbol.dispose]();
  }
}

/** Requests a second that are answered when as many are sent as are. */
async function measureMost(generators: readonly GeneratorProcess[], job: MixedJob): Promise<number> {
  await Promise.all(generators.map((generator) => generator.ready()));
  const saturate = (seconds: number): Promise<readonly MixedReport[]> =>
    Promise.all(generators.map((generator) => generator.call('saturate', { ...job, outstanding, seconds })));
  await saturate(warmUpSeconds);
  const answered = sum((await saturate(saturatedSeconds)).map(answeredOf));
  if (answered === 0) throw new Error('no request was answered');
  return answered / saturatedSeconds;
}

interface SteadyLoad {
  readonly job: MixedJob;
  readonly perSecond: number;
  readonly seconds: number;
}

async function soak(
  ground: Ground,
  cluster: Cluster,
  generators: readonly GeneratorProcess[],
  { job, perSecond, seconds }: SteadyLoad,
): Promise<{ readonly samples: readonly SoakSample[]; readonly lastFailure: string | undefined }> {
  const share = { ...job, perSecond: perSecond / generators.length };
  await Promise.all(generators.map((generator) => generator.call('beginMixed', share)));
  const start = performance.now();
  const interval = Math.min(sampleSecondsMax, seconds / samplesMin);
  const count = Math.round(seconds / interval);
  const samples: SoakSample[] = [];
  let lastFailure: string | undefined;
  for (let i = 1; i <= count; i++) {
    await delay(Math.max(0, start + i * interval * 1000 - performance.now()));
    // Before the last reports: after them the connections are closed.
    const nodes = cluster.nodes.map(({ pid }) => nodeSample(pid));
    // The last one waits for what is under way, so that no failure is missed.
    const command = i === count ? 'endMixed' : 'takeMixed';
    const reports = await Promise.all(generators.map((generator) => generator.call(command)));
    const sample = sampleOf(nodes, reports, (performance.now() - start) / 1000);
    samples.push(sample);
    lastFailure = reports.find((report) => report.lastFailure !== undefined)?.lastFailure ?? lastFailure;
    ground.say(`[${String(i).padStart(String(count).length)}/${count}] ${describe(sample)}`);
  }
  return { samples, lastFailure };
}

function sampleOf(nodes: readonly SoakNode[], reports: readonly MixedReport[], seconds: number): SoakSample {
  const puts = reports.flatMap(({ putMillis }) => [...putMillis]);
  const gets = reports.flatMap(({ getMillis }) => [...getMillis]);
  return {
    seconds,
    nodes,
    sent: sum(reports.map(({ sent }) => sent)),
    answered: sum(reports.map(answeredOf)),
    failed: sum(reports.map(({ failed }) => failed)),
    putP50Millis: percentile(puts, 50),
    putP99Millis: percentile(puts, 99),
    getP50Millis: percentile(gets, 50),
    getP99Millis: percentile(gets, 99),
  };
}

function nodeSample(pid: number): SoakNode {
  const { rssBytes, anonymousBytes } = memoryOf(pid);
  const { all, tables } = openFilesOf(pid);
  return { rssMiB: rssBytes / 2 ** 20, ownMiB: anonymousBytes / 2 ** 20, descriptors: all, tables };
}

function answeredOf({ putMillis, getMillis }: MixedReport): number {
  return putMillis.length + getMillis.length;
}

function describe({ nodes, answered, failed, putP99Millis, getP99Millis }: SoakSample): string {
  const memory = nodes.map(({ rssMiB }) => rssMiB.toFixed(0)).join(' / ');
  const files = nodes.map(({ descriptors }) => descriptors).join(' / ');
  const p99 = `p99 of puts ${putP99Millis.toFixed(1)} ms, of gets ${getP99Millis.toFixed(1)} ms`;
  return `${answered} answered, ${failed} failed, ${p99}; ${memory} MiB; ${files} descriptors`;
}

function figuresOf(samples: readonly SoakSample[]): readonly Figure[] {
  const [putP50, putP99] = [endsOf(samples, (s) => s.putP50Millis), endsOf(samples, (s) => s.putP99Millis)];
  const [getP50, getP99] = [endsOf(samples, (s) => s.getP50Millis), endsOf(samples, (s) => s.getP99Millis)];
  const most = (figureOf: (node: SoakNode) => number): number =>
    Math.max(...samples.flatMap(({ nodes }) => nodes.map(figureOf)));
  return [
    { name: 'answered requests', unit: '', value: sum(samples.map(({ answered }) => answered)) },
    { name: figureNames.failed, unit: '', value: sum(samples.map(({ failed }) => failed)) },
    { name: 'put p50, last fifth', unit: 'ms', value: putP50.late },
    { name: 'put p99, second fifth', unit: 'ms', value: putP99.early },
    { name: 'put p99, last fifth', unit: 'ms', value: putP99.late },
    { name: figureNames.putSlowdown, unit: '×', value: ratio(putP99) },
    { name: 'get p50, last fifth', unit: 'ms', value: getP50.late },
    { name: 'get p99, second fifth', unit: 'ms', value: getP99.early },
    { name: 'get p99, last fifth', unit: 'ms', value: getP99.late },
    { name: figureNames.getSlowdown, unit: '×', value: ratio(getP99) },
    { name: 'most resident memory of a node', unit: 'MiB', value: most(({ rssMiB }) => rssMiB) },
    { name: figureNames.resident, unit: '%', value: largestGrowth(samples, ({ rssMiB }) => rssMiB, percentMore) },
    { name: figureNames.own, unit: '%', value: largestGrowth(samples, ({ ownMiB }) => ownMiB, percentMore) },
    { name: 'most descriptors of a node', unit: '', value: most(({ descriptors }) => descriptors) },
    {
      name: figureNames.descriptors,
      unit: '',
      value: largestGrowth(samples, ({ descriptors, tables }) => descriptors - tables, difference),
    },
    { name: 'growth of open tables', unit: '', value: largestGrowth(samples, ({ tables }) => tables, difference) },
  ];
}

/** A generator that cannot keep its times asks less of the nodes than it says. */
function rateProblems(samples: readonly SoakSample[], due: number): readonly string[] {
  const sent = sum(samples.map((sample) => sample.sent));
  return sent >= 0.98 * due ? [] : [`the generators sent ${sent} requests where ${Math.round(due)} were due`];
}
