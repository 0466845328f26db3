import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Protocol } from './clusters/balsa.ts';
import { goalsOver, judge, type Verdict } from './goals.ts';
import { keyCount, valueBytes } from './keys.ts';
import { isMemory, type Machine } from './machine.ts';
import type { Measurement } from './measure.ts';
import type { BenchOptions } from './options.ts';
import { drawChart } from './scaling/chart.ts';
import { describeScaling, scalingNotes } from './scaling/describe-scaling.ts';
import type { Scaling } from './scaling/scaling-result.ts';
import { sentencesOf } from './scaling/sentences.ts';
import { describeShape, type Scenario } from './scenarios.ts';
import { type Spread, spreadOf } from './statistics.ts';
import { type Ratio, type Row, ratiosOf, rowsOf } from './summary.ts';
import { aligned, thousands } from './text-table.ts';
import { describeTrial } from './trials/describe-trial.ts';
import type { TrialResult } from './trials/judge.ts';

export interface BenchResult {
  readonly startedAt: string;
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly flags: Readonly<Record<string, readonly string[]>>;
  readonly options: BenchOptions;
  readonly measurements: readonly Measurement[];
  readonly trials: readonly TrialResult[];
  readonly scaling: Scaling | undefined;
}

/** Writes everything that was measured beside what it was measured on; returns the paths. */
export function writeResult(result: BenchResult): readonly string[] {
  const directory = fileURLToPath(new URL('results/', import.meta.url));
  mkdirSync(directory, { recursive: true });
  const base = `${directory}${result.startedAt.slice(0, 10)}-${result.options.name}`;
  let path = `${base}.json`;
  for (let n = 2; existsSync(path); n++) path = `${base}-${n}.json`;
  const { measurements, trials, scaling, options, ...conditions } = result;
  const ratios = ratiosOf(measurements);
  const measured = {
    keyCount,
    valueBytes,
    notes,
    rows: rowsOf(measurements),
    ratios,
    goals: goalsOver(options.protocol).flatMap((goal) => judge(goal, ratios)),
    measurements,
  };
  const document = {
    ...conditions,
    options: { ...options, trials: options.trials.map(({ name }) => name) },
    ...(measurements.length === 0 ? {} : measured),
    ...(trials.length === 0 ? {} : { trials }),
    ...(scaling === undefined ? {} : { scaling: scalingDocument(scaling) }),
  };
  writeFileSync(path, `${JSON.stringify(document, roundedNumbers, 2)}\n`);
  if (scaling === undefined) return [path];
  const picture = path.replace(/json$/, 'svg');
  writeFileSync(picture, drawChart(scaling.curves, chartText(result)));
  return [path, picture];
}

function scalingDocument({ curves, measurements }: Scaling) {
  return {
    notes: scalingNotes,
    curves: curves.map((curve) => ({ ...curve, sentences: sentencesOf(curve) })),
    measurements,
  };
}

function chartText({ machine, versions, startedAt }: BenchResult) {
  const { balsa, node } = versions;
  return {
    title: 'Balsa: how cost grows',
    lines: [
      `Puts and linearizable gets at the leader; Balsa ${balsa}, Node.js ${node}, ${startedAt.slice(0, 10)}.`,
      `${machine.cpu}, ${machine.cores} cores shared by nodes and load generator, data on ${machine.fileSystem}.`,
      'Unless a panel says otherwise: 3 nodes, 64 connections, 10,000 keys, values of 256 bytes.',
    ],
  };
}

/** Tables for people: one for each scenario, then the goals; each trial with its own. */
export function describeResult(result: BenchResult): string {
  return [
    conditions(result),
    ...(result.measurements.length === 0 ? [] : describeMeasurements(result)),
    ...result.trials.map(describeTrial),
    ...(result.scaling === undefined
      ? []
      : [...describeScaling(result.scaling.curves), ...disturbances(result.scaling.measurements)]),
  ].join('\n\n');
}

function describeMeasurements(result: BenchResult): readonly string[] {
  const rows = rowsOf(result.measurements);
  const ratios = ratiosOf(result.measurements);
  return [
    ...result.options.scenarios.map((scenario) => table(scenario, rows, ratios)),
    ...problems(rows),
    ...busyGenerators(rows),
    ...disturbances(result.measurements),
    verdicts(
      result.options.protocol,
      goalsOver(result.options.protocol).flatMap((goal) => judge(goal, ratios)),
    ),
    notes.map((note) => `- ${note}`).join('\n'),
  ];
}

/** One line while the benchmark runs. */
export function describeMeasurement(run: Measurement): string {
  const { requestsPerSecond, latencyMillis } = run;
  const figures = [
    `${thousands(requestsPerSecond).padStart(7)} req/s`,
    `p50 ${millis(latencyMillis.p50)} ms`,
    `p99 ${millis(latencyMillis.p99)} ms`,
  ].join('  ');
  return [figures, ...run.problems.map((problem) => `! ${problem}`)].join('\n      ');
}

const notes = [
  'etcd is driven over gRPC by h2load, Balsa over HTTP/1.1 by wrk (with --protocol grpc as etcd), with the same number of outstanding requests.',
  'A transaction puts three keys if their create revisions are above 0, which all are. A read of a prefix answers with the 1,000 keys of 10,000 that share it: keys/s are 1,000 times the requests/s. Nothing is written meanwhile, so Balsa answers from pages that it keeps.',
  'Each request of wrk takes one of all keys at random. h2load cannot vary the body of a request, so the key in its body file is written over 250 times a second while it runs; requests close to each other share a key, which if anything makes them cheaper.',
  "Latencies are those of requests that were sent: what wrk adds to them for requests it would have sent at a fixed rate is taken out again, as h2load adds nothing. Times are taken in the generator, which shares the machine's cores with the nodes.",
  "Every run was checked: answers with an error, the revision against the number of puts and transactions, the size of the answers to reads, and etcd's own count of gRPC successes.",
  "CPU is that of all three nodes for one request; memory is the resident set after the run (etcd's includes its mapped file).",
  "A ratio is the median over the rounds of Balsa's figure divided by etcd's in the same round, with the lowest and highest.",
];

function conditions({ machine, versions, options, measurements, scaling }: BenchResult): string {
  return [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, Linux ${machine.kernel}, data on ${machine.fileSystem}`,
    Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', '),
    measurements.length === 0
      ? `${scaling === undefined ? 'three nodes' : 'nodes'} and the generator on this machine`
      : `three nodes and the generator on this machine; ${valueBytes}-byte values, ${thousands(keyCount)} keys; ${options.runs} × ${options.seconds} s`,
    ...(isMemory(machine)
      ? ['The data is in memory, not on a disk: puts are faster than they could be (see --dir).']
      : []),
  ].join('\n');
}

const columns = ['outstanding', 'cluster', 'shape', 'req/s', 'min – max', 'p50 ms', 'p99 ms', 'CPU µs', 'RSS MiB'];
const ratioColumns = ['× req/s', '× p50', '× p99'];

function table(scenario: Scenario, rows: readonly Row[], ratios: readonly Ratio[]): string {
  const own = rows
    .filter((row) => row.scenario === scenario.name)
    .toSorted((a, b) => a.outstanding - b.outstanding || a.cluster.localeCompare(b.cluster));
  const hasRatios = ratios.some((ratio) => ratio.scenario === scenario.name);
  const lines = own.map((row) => [...cells(row), ...(hasRatios ? ratioCells(row, ratios) : [])]);
  return `${scenario.title}\n${aligned([[...columns, ...(hasRatios ? ratioColumns : [])], ...lines])}`;
}

function cells(row: Row): string[] {
  return [
    String(row.outstanding),
    row.cluster,
    describeShape(row.shape),
    thousands(row.requestsPerSecond.median),
    `${thousands(row.requestsPerSecond.min)} – ${thousands(row.requestsPerSecond.max)}`,
    millis(row.p50Millis.median),
    millis(row.p99Millis.median),
    row.cpuMicrosPerRequest.toFixed(0),
    [row.leaderRssMiB, ...row.followerRssMiB].map((value) => value.toFixed(0)).join(' / '),
  ];
}

/** On etcd's lines: how Balsa did against etcd in this shape. */
function ratioCells(row: Row, ratios: readonly Ratio[]): string[] {
  const ratio = ratios.find(
    (candidate) =>
      row.cluster === 'etcd' &&
      candidate.scenario === row.scenario &&
      candidate.outstanding === row.outstanding &&
      describeShape(candidate.etcdShape) === describeShape(row.shape),
  );
  if (ratio === undefined) return ratioColumns.map(() => '');
  return [times(ratio.requestsPerSecond), times(ratio.p50), times(ratio.p99)];
}

function problems(rows: readonly Row[]): string[] {
  const lines = rows.flatMap((row) =>
    row.problems.map((problem) => `! ${row.scenario} ${row.outstanding} ${row.cluster}: ${problem}`),
  );
  return lines.length === 0 ? [] : [`Figures not to be trusted:\n${lines.join('\n')}`];
}

/** Where the generator has its one core to itself and needs all of it, the figure is the generator's. */
function busyGenerators(rows: readonly Row[]): string[] {
  const busy = rows.filter(({ generatorCores }) => generatorCores > 0.9);
  if (busy.length === 0) return [];
  const names = busy.map((row) => `${row.scenario} ${row.outstanding} ${row.cluster}`).join(', ');
  return [`Limited by the load generator, which has one thread: ${names}`];
}

function disturbances(measurements: readonly Measurement[]): string[] {
  const { median, max } = spreadOf(measurements.map(({ otherCores }) => otherCores));
  if (!(max >= 0.1)) return [];
  const cores = `${median.toFixed(2)} cores in a usual run, ${max.toFixed(2)} in the worst`;
  return [`The machine was not quiet: other processes took ${cores}`];
}

function verdicts(protocol: Protocol, list: readonly Verdict[]): string {
  const lines = list.map(({ goal, etcdShape, ratio, outcome }) => [
    outcome === 'met' ? '✓' : outcome === 'missed' ? '✗' : '?',
    outcome,
    goal.title,
    etcdShape === undefined ? '' : `etcd ${describeShape(etcdShape)}`,
    ratio === undefined ? '' : times(ratio),
  ]);
  const over = protocol === 'rest' ? 'REST' : 'gRPC';
  return `Goals, Balsa over ${over} against etcd over gRPC, in each shape that etcd was driven in\n${aligned(lines, 'left')}`;
}

function times({ median, min, max }: Spread): string {
  return `${median.toFixed(2)} (${min.toFixed(2)} – ${max.toFixed(2)})`;
}

function millis(value: number): string {
  return value < 10 ? value.toFixed(2) : value.toFixed(1);
}

/** Digits beyond what was measured only make the files hard to compare. */
function roundedNumbers(_name: string, value: unknown): unknown {
  return typeof value === 'number' && Number.isFinite(value) ? Number(value.toPrecision(7)) : value;
}
