import { parseArgs } from 'node:util';
import type { Protocol } from './clusters/balsa.ts';
import { goalsOver, isAskedFor } from './goals.ts';
import { type CurveName, curveNames } from './scaling/curve.ts';
import { connectionCounts, type ScalingOptions } from './scaling/scaling-options.ts';
import { type Scenario, scenarios } from './scenarios.ts';
import { trials } from './trials/catalogue.ts';
import type { Trial, TrialOptions } from './trials/trial.ts';

export interface BenchOptions {
  readonly scenarios: readonly Scenario[];
  /** Those that were named: each takes minutes and a cluster of its own. */
  readonly trials: readonly Trial[];
  readonly trialOptions: TrialOptions;
  /** Undefined unless it was named: it takes minutes and clusters of its own. */
  readonly scaling: ScalingOptions | undefined;
  /** Requests that are waited for at the same time. */
  readonly outstanding: readonly number[];
  /** Of all pairs of those, only the ones that a goal over `protocol` needs. */
  readonly goalsOnly: boolean;
  /** Length of one measured run. */
  readonly seconds: number;
  /** Rounds; in each round every contender of every row is measured once. */
  readonly runs: number;
  readonly withEtcd: boolean;
  /** How requests come to Balsa; to etcd they come over gRPC. */
  readonly protocol: Protocol;
  /** Also where a trial would take too long with it. */
  readonly isEtcdAsked: boolean;
  /** The end of the name of the file in `bench/results/`. */
  readonly name: string;
  /** Where the clusters keep their data; should be the kind of disk that the figures are meant for. */
  readonly directory: string | undefined;
}

const scalingName = 'scaling';

export const usage = `npm run bench -- [options]

  --scenario NAME,…     ${scenarios.map(({ name }) => name).join(', ')};
                        the beginning of a name takes all that begin so (default: all of these);
                        or, only if named: ${[...trials.map(({ name }) => name), scalingName].join(', ')}
  --connections N,…     requests outstanding at the same time (default: 1,64,256);
                        scaling: the points of that curve (default: ${connectionCounts.join(',')})
  --seconds N           length of one run (default: 5; of the writes of watchers: 60;
                        of fan-out: 10; of a point of scaling: 3)
  --runs N              rounds; the tables show medians over them (default: 5)
  --goals               only the kinds of requests, each with the number outstanding, that a goal over the protocol
                        needs; --scenario and --connections narrow that down (--runs 5 --seconds 3: 15 to 20 minutes)
  --quick               a look within a minute: puts and gets at the leader, one round of 2 seconds
  --protocol P          how requests come to Balsa: rest (wrk; default) or grpc (h2load, as to etcd)
  --no-etcd             Balsa alone
  --with-etcd           etcd also with more than 1,000,000 keys, where it is left out otherwise
  --keys N              keys, catch-up, backup: how many (default: 1000000); above that keys judges only memory
  --value-bytes N       of all trials: bytes of a value (default: 256)
  --overwrites N        history: how often each key is written (default: 1000)
  --watchers N          watchers: how many; scaling: the most of that curve (default: 10000); fan-out (default: 1000)
  --stopped-readers N   watchers: how many of them stop reading (default: 1000)
  --megabytes N         watchers: what is written past those who stopped (default: 100)
  --writes-per-second N catch-up: writes that go on meanwhile (default: 5000)
  --kills N             failover: how often the leader is killed (default: 20)
  --minutes N           soak: how long (default: 30)
  --curves NAME,…       scaling: which (default: ${curveNames.join(',')})
  --keys-max N          scaling: the most keys of that curve (default: 1000000; 10000000 take a quarter of an hour)
  --name NAME           results go to bench/results/<date>-NAME.json (default: full, quick, goals-P or the scenarios)
  --dir DIRECTORY       where the clusters keep their data (default: the system's temporary directory)
  --help`;

/** Flags that make no sense together with others do not exist; one that cannot be understood throws a `UsageError`. */
export function parseOptions(args: readonly string[]): BenchOptions | 'help' {
  const flags = parseFlags(args);
  if (flags.help) return 'help';
  const quick = flags.quick === true;
  const protocol = protocolOf(flags.protocol ?? 'rest');
  const { isScaling, ...wanted } = chosen(flags.scenario ?? (quick ? 'put-leader,get-leader' : ''));
  const usualOutstanding = flags.goals === true ? outstandingOfGoals(protocol) : [1, 64, 256];
  const options: BenchOptions = {
    ...wanted,
    scaling: isScaling ? scalingOptions(flags) : undefined,
    trialOptions: {
      keys: wholeNumber('--keys', flags.keys ?? '1000000', 50_000_000),
      valueBytes: wholeNumber('--value-bytes', flags['value-bytes'] ?? '256', 10_000),
      overwrites: wholeNumber('--overwrites', flags.overwrites ?? '1000', 100_000),
      watchers: wholeNumber('--watchers', flags.watchers ?? '10000', 1_000_000),
      watchSeconds: wholeNumber('--seconds', flags.seconds ?? '60', 3600),
      fanOutWatchers: wholeNumber('--watchers', flags.watchers ?? '1000', 1_000_000),
      fanOutSeconds: wholeNumber('--seconds', flags.seconds ?? '10', 3600),
      kills: wholeNumber('--kills', flags.kills ?? '20', 1000),
      stoppedReaders: wholeNumber('--stopped-readers', flags['stopped-readers'] ?? '1000', 100_000),
      writesPerSecond: wholeNumber('--writes-per-second', flags['writes-per-second'] ?? '5000', 100_000),
      soakMinutes: wholeNumber('--minutes', flags.minutes ?? '30', 10_080),
      eventMegabytes: wholeNumber('--megabytes', flags.megabytes ?? '100', 10_000),
    },
    outstanding:
      flags.connections === undefined
        ? usualOutstanding
        : list(flags.connections).map((text) => wholeNumber('--connections', text, 4096)),
    goalsOnly: false,
    seconds: wholeNumber('--seconds', flags.seconds ?? (quick ? '2' : '5'), 3600),
    runs: wholeNumber('--runs', flags.runs ?? (quick ? '1' : '5'), 100),
    withEtcd: flags['no-etcd'] !== true,
    protocol,
    isEtcdAsked: flags['with-etcd'] === true,
    name: flags.name ?? nameOf(flags, protocol),
    directory: flags.dir,
  };
  return flags.goals === true ? withNeededRows(options) : options;
}

/** A kind of request with a number of them outstanding. */
export interface PlannedRow {
  readonly scenario: Scenario;
  readonly outstanding: number;
}

export function plannedRows(
  options: Pick<BenchOptions, 'scenarios' | 'outstanding' | 'goalsOnly' | 'protocol'>,
): readonly PlannedRow[] {
  const rows = options.scenarios.flatMap((scenario) =>
    options.outstanding.map((outstanding) => ({ scenario, outstanding })),
  );
  if (!options.goalsOnly) return rows;
  return rows.filter(({ scenario, outstanding }) => isAskedFor(options.protocol, scenario.name, outstanding));
}

/** The report has a table for each scenario: those that no goal needs are left out. */
function withNeededRows(options: BenchOptions): BenchOptions {
  if (!options.withEtcd) throw new UsageError('--goals compares with etcd: leave --no-etcd out');
  const needed = plannedRows({ ...options, goalsOnly: true });
  if (needed.length === 0) {
    throw new UsageError(
      `--goals has nothing to measure: no goal over ${options.protocol} needs these --scenario and --connections`,
    );
  }
  const scenarios = options.scenarios.filter((scenario) => needed.some((row) => row.scenario === scenario));
  return { ...options, scenarios, goalsOnly: true };
}

/** `put-leader+get-leader`, or what stands for the whole. */
function nameOf({ scenario, quick, goals }: ReturnType<typeof parseFlags>, protocol: Protocol): string {
  if (scenario !== undefined) return scenario.replaceAll(',', '+');
  if (quick === true) return 'quick';
  if (goals === true) return `goals-${protocol}`;
  return 'full';
}

/** Every number that a goal over the protocol needs. */
function outstandingOfGoals(protocol: Protocol): readonly number[] {
  return [...new Set(goalsOver(protocol).map(({ outstanding }) => outstanding))].toSorted((a, b) => a - b);
}

export class UsageError extends Error {}

function parseFlags(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        scenario: { type: 'string' },
        connections: { type: 'string' },
        seconds: { type: 'string' },
        runs: { type: 'string' },
        goals: { type: 'boolean' },
        quick: { type: 'boolean' },
        protocol: { type: 'string' },
        'no-etcd': { type: 'boolean' },
        'with-etcd': { type: 'boolean' },
        keys: { type: 'string' },
        'value-bytes': { type: 'string' },
        overwrites: { type: 'string' },
        watchers: { type: 'string' },
        'stopped-readers': { type: 'string' },
        megabytes: { type: 'string' },
        kills: { type: 'string' },
        'writes-per-second': { type: 'string' },
        minutes: { type: 'string' },
        curves: { type: 'string' },
        'keys-max': { type: 'string' },
        name: { type: 'string' },
        dir: { type: 'string' },
        help: { type: 'boolean' },
      },
    }).values;
  } catch (reason) {
    throw new UsageError(reason instanceof Error ? reason.message : String(reason));
  }
}

interface Wanted extends Pick<BenchOptions, 'scenarios' | 'trials'> {
  readonly isScaling: boolean;
}

function chosen(text: string): Wanted {
  const wanted = list(text);
  if (wanted.length === 0) return { scenarios, trials: [], isScaling: false };
  const isWanted = ({ name }: { readonly name: string }) => wanted.some((beginning) => name.startsWith(beginning));
  const all = [...[...scenarios, ...trials].map(({ name }) => name), scalingName];
  for (const beginning of wanted) {
    if (all.some((name) => name.startsWith(beginning))) continue;
    throw new UsageError(`no scenario begins with "${beginning}"; there are ${all.join(', ')}`);
  }
  return {
    scenarios: scenarios.filter(isWanted),
    trials: trials.filter(isWanted),
    isScaling: isWanted({ name: scalingName }),
  };
}

function scalingOptions(flags: ReturnType<typeof parseFlags>): ScalingOptions {
  if (flags.protocol === 'grpc') throw new UsageError('scaling is measured over REST: leave --protocol grpc out');
  const connections = list(flags.connections ?? connectionCounts.join(','));
  return {
    curves: list(flags.curves ?? curveNames.join(',')).map(curveNamed),
    seconds: wholeNumber('--seconds', flags.seconds ?? '3', 3600),
    keysMax: wholeNumber('--keys-max', flags['keys-max'] ?? '1000000', 50_000_000, 1000),
    connections: connections.map((text) => wholeNumber('--connections', text, 4096)).toSorted((a, b) => a - b),
    watchersMax: wholeNumber('--watchers', flags.watchers ?? '10000', 1_000_000),
  };
}

function curveNamed(text: string): CurveName {
  const found = curveNames.find((name) => name === text);
  if (found === undefined) throw new UsageError(`--curves takes ${curveNames.join(', ')}, not "${text}"`);
  return found;
}

function list(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function protocolOf(text: string): Protocol {
  if (text === 'rest' || text === 'grpc') return text;
  throw new UsageError(`--protocol takes rest or grpc, not "${text}"`);
}

function wholeNumber(flag: string, text: string, max: number, min = 1): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new UsageError(`${flag} takes a whole number from ${min} to ${max}, not "${text}"`);
}
