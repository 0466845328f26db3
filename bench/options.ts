import { parseArgs } from 'node:util';
import { type Scenario, scenarios } from './scenarios.ts';

export interface BenchOptions {
  readonly scenarios: readonly Scenario[];
  /** Requests that are waited for at the same time. */
  readonly outstanding: readonly number[];
  /** Length of one measured run. */
  readonly seconds: number;
  /** Rounds; in each round every contender of every row is measured once. */
  readonly runs: number;
  readonly withEtcd: boolean;
  /** The end of the name of the file in `bench/results/`. */
  readonly name: string;
  /** Where the clusters keep their data; should be the kind of disk that the figures are meant for. */
  readonly directory: string | undefined;
}

export const usage = `npm run bench -- [options]

  --scenario NAME,…     ${scenarios.map(({ name }) => name).join(', ')};
                        the beginning of a name takes all that begin so (default: all)
  --connections N,…     requests outstanding at the same time (default: 1,64,256)
  --seconds N           length of one run (default: 5)
  --runs N              rounds; the tables show medians over them (default: 5)
  --quick               a look within a minute: puts and gets at the leader, one round of 2 seconds
  --no-etcd             Balsa alone
  --name NAME           results go to bench/results/<date>-NAME.json (default: full, quick or the scenarios)
  --dir DIRECTORY       where the clusters keep their data (default: the system's temporary directory)
  --help`;

/** Flags that make no sense together with others do not exist; one that cannot be understood throws a `UsageError`. */
export function parseOptions(args: readonly string[]): BenchOptions | 'help' {
  const flags = parseFlags(args);
  if (flags.help) return 'help';
  const quick = flags.quick === true;
  return {
    scenarios: chosenScenarios(flags.scenario ?? (quick ? 'put-leader,get-leader' : '')),
    outstanding: list(flags.connections ?? '1,64,256').map((text) => wholeNumber('--connections', text, 4096)),
    seconds: wholeNumber('--seconds', flags.seconds ?? (quick ? '2' : '5'), 3600),
    runs: wholeNumber('--runs', flags.runs ?? (quick ? '1' : '5'), 100),
    withEtcd: flags['no-etcd'] !== true,
    name: flags.name ?? flags.scenario?.replaceAll(',', '+') ?? (quick ? 'quick' : 'full'),
    directory: flags.dir,
  };
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
        quick: { type: 'boolean' },
        'no-etcd': { type: 'boolean' },
        name: { type: 'string' },
        dir: { type: 'string' },
        help: { type: 'boolean' },
      },
    }).values;
  } catch (reason) {
    throw new UsageError(reason instanceof Error ? reason.message : String(reason));
  }
}

function chosenScenarios(text: string): readonly Scenario[] {
  const wanted = list(text);
  if (wanted.length === 0) return scenarios;
  for (const beginning of wanted) {
    if (scenarios.some(({ name }) => name.startsWith(beginning))) continue;
    throw new UsageError(
      `no scenario begins with "${beginning}"; there are ${scenarios.map(({ name }) => name).join(', ')}`,
    );
  }
  return scenarios.filter(({ name }) => wanted.some((beginning) => name.startsWith(beginning)));
}

function list(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function wholeNumber(flag: string, text: string, max: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= max) return value;
  throw new UsageError(`${flag} takes a whole number from 1 to ${max}, not "${text}"`);
}
