import { cleanUpOnExit, memoryDirectory, temporaryDirectory } from './clean-up.ts';
import { balsaFlags, isBuilt, startBalsa } from './clusters/balsa.ts';
import { awake, type Cluster, putToSleep, remove } from './clusters/cluster.ts';
import { etcdFlags, startEtcd } from './clusters/etcd.ts';
import { versionOf } from './load/run-tool.ts';
import { balsaVersion, describeMachine } from './machine.ts';
import { type Measurement, measure } from './measure.ts';
import { type BenchOptions, parseOptions, plannedRows, UsageError, usage } from './options.ts';
import { describeMeasurement, describeResult, writeResult } from './report.ts';
import { measureScaling } from './scaling/measure-scaling.ts';
import { describeShape, type Scenario, type Shape } from './scenarios.ts';
import { type Contender, runTrials } from './trials/run-trials.ts';

cleanUpOnExit();
try {
  const options = parseOptions(process.argv.slice(2));
  if (options === 'help') console.log(usage);
  else await bench(options);
} catch (reason) {
  if (reason instanceof UsageError) console.error(`${reason.message}\n\n${usage}`);
  else console.error(reason);
  process.exitCode = 1;
}
// The nodes still run; leaving is what ends them.
process.exit();

async function bench(options: BenchOptions): Promise<void> {
  const tools = findTools(options);
  const startedAt = new Date().toISOString();
  const directory = temporaryDirectory(options.directory);
  const machine = describeMachine(directory);
  const contenders = contendersOf(tools, directory, options);

  const measurements = options.scenarios.length === 0 ? [] : await measureScenarios(contenders, options);
  const trials = await runTrials({
    trials: options.trials,
    options: options.trialOptions,
    balsa: contenders.balsa,
    etcd: contenders.etcd,
    isComparisonAsked: options.isEtcdAsked,
    say,
  });
  const scaling =
    options.scaling && (await measureScaling({ options: options.scaling, start: contenders.balsa.start, say }));

  const result = {
    startedAt,
    machine,
    versions: versionsOf(tools),
    flags: Object.fromEntries(listOf(contenders).map(({ name, flags }) => [name, flags])),
    options,
    measurements,
    trials,
    scaling,
  };
  const paths = writeResult(result);
  console.log(`\n${describeResult(result)}\n\n${paths.join('\n')}`);
}

interface Tools {
  readonly balsa: string;
  /** Undefined if nothing is measured with it. */
  readonly wrk: string | undefined;
  readonly etcd: { readonly etcd: string; readonly h2load?: string } | undefined;
}

/** Versions of what is there. Without wrk there are no runs to measure; without etcd there are no ratios. */
function findTools({ withEtcd, scenarios, trials, scaling, goalsOnly }: BenchOptions): Tools {
  if (!isBuilt()) throw new UsageError('There is no build in dist/. Make one: npm run build');
  const needsGenerators = scenarios.length > 0;
  const needsWrk = needsGenerators || scaling !== undefined;
  const wrk = needsWrk ? versionOf('wrk') : undefined;
  if (needsWrk && wrk === undefined) throw new UsageError('wrk is not installed. On Debian: apt-get install wrk');
  const found = { balsa: balsaVersion(), wrk: wrk === undefined ? undefined : toolVersion(wrk) };
  if (!withEtcd || (!needsGenerators && trials.length === 0)) return { ...found, etcd: undefined };
  const etcd = versionOf('etcd');
  const h2load = needsGenerators ? versionOf('h2load') : undefined;
  const missing = [
    ...(etcd === undefined ? ['etcd-server'] : []),
    ...(needsGenerators && h2load === undefined ? ['nghttp2-client'] : []),
  ];
  if (etcd === undefined || missing.length > 0) {
    const remedy = `on Debian, apt-get install ${missing.join(' ')}`;
    if (goalsOnly) throw new UsageError(`--goals compares with etcd, and it cannot be driven here: ${remedy}`);
    say(`No comparison with etcd: ${remedy}`);
    return { ...found, etcd: undefined };
  }
  const generator = h2load === undefined ? {} : { h2load: toolVersion(h2load) };
  return { ...found, etcd: { etcd: toolVersion(etcd), ...generator } };
}

function versionsOf({ balsa, wrk, etcd }: Tools): Readonly<Record<string, string>> {
  return { balsa, node: process.version, ...(wrk === undefined ? {} : { wrk }), ...etcd };
}

interface Contenders {
  readonly balsa: Contender;
  readonly etcd: Contender | undefined;
}

function contendersOf({ balsa, etcd }: Tools, directory: string, { protocol }: BenchOptions): Contenders {
  const memory = memoryDirectory();
  const own = { version: balsa, directory, protocol, memoryDirectory: memory };
  const theirs = etcd && { version: etcd.etcd, directory, memoryDirectory: memory };
  return {
    balsa: { name: 'balsa', flags: balsaFlags, start: (how) => startBalsa(own, how) },
    etcd: theirs && { name: 'etcd', flags: etcdFlags, start: (how) => startEtcd(theirs, how) },
  };
}

function listOf({ balsa, etcd }: Contenders): readonly Contender[] {
  return etcd === undefined ? [balsa] : [balsa, etcd];
}

async function measureScenarios(contenders: Contenders, options: BenchOptions): Promise<readonly Measurement[]> {
  const clusters = await startClusters(contenders);
  const measurements = await takeTurns(clusters, options);
  for (const cluster of clusters) await remove(cluster);
  return measurements;
}

/** One after the other, so that none disturbs the other's first election. All sleep in the end, with every key written. */
async function startClusters(contenders: Contenders): Promise<readonly Cluster[]> {
  const clusters: Cluster[] = [];
  for (const { start } of listOf(contenders)) {
    const cluster = await start();
    say(`${cluster.name} ${cluster.version}: three nodes start`);
    await awake(cluster);
    await cluster.fill();
    putToSleep(cluster);
    clusters.push(cluster);
  }
  return clusters;
}

interface Turn {
  readonly scenario: Scenario;
  readonly cluster: Cluster;
  readonly shape: Shape;
}

/**
 * Contenders for one row follow each other within seconds, and the order turns from round to round: what else the
 * machine does hits them alike. While one is measured the other cluster's nodes are stopped.
 */
async function takeTurns(clusters: readonly Cluster[], options: BenchOptions): Promise<readonly Measurement[]> {
  const measurements: Measurement[] = [];
  const rows = plannedRows(options).map(({ scenario, outstanding }) => turnsOf(scenario, outstanding, clusters));
  const total = rows.flat().length * options.runs;
  for (let round = 1; round <= options.runs; round++) {
    for (const turns of rows) {
      for (const { scenario, cluster, shape } of rotated(turns, round - 1)) {
        const measurement = await measure({ cluster, scenario, shape, round, seconds: options.seconds });
        putToSleep(cluster);
        measurements.push(measurement);
        const place = `[${String(measurements.length).padStart(String(total).length)}/${total}]`;
        const what = `${scenario.name} ${cluster.name} ${describeShape(shape)}`;
        say(`${place} ${what.padEnd(34)} ${describeMeasurement(measurement)}`);
      }
    }
  }
  return measurements;
}

function turnsOf(scenario: Scenario, outstanding: number, clusters: readonly Cluster[]): readonly Turn[] {
  return clusters.flatMap((cluster) => cluster.shapes(outstanding).map((shape) => ({ scenario, cluster, shape })));
}

function rotated<T>(items: readonly T[], by: number): readonly T[] {
  const start = by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}

/** `etcd Version: 3.4.23` → `3.4.23`. */
function toolVersion(line: string): string {
  return /\d+(\.\d+)+\S*/.exec(line)?.[0] ?? line;
}

/** Progress goes where messages go; standard output holds the result. */
function say(line: string): void {
  console.error(line);
}
