import { setTimeout as delay } from 'node:timers/promises';
import { awake } from '../clusters/cluster.ts';
import type { Target } from '../generator/commands.ts';
import { GeneratorProcess } from '../generator/generator-process.ts';
import { percentile } from '../statistics.ts';
import { loadKeys, targetOf } from './generators.ts';
import type { Figure, Ground, Outcome, Trial, TrialGoal } from './trial.ts';

const prefix = 'history/';
/** As many keys that are written once: what else changes between before and after changes for them too. */
const controlPrefix = 'control/';
const keys = 1000;
/** V8 compiles what is used often in the first seconds; only the history may differ between before and after. */
const warmUpSeconds = 5;
/** Each kind of read has its turn in each slice, so that what disturbs the machine for a moment hits all alike. */
const slices = 4;
const sliceSeconds = 1;
const restMs = 5000;
const slowdownBelow = 1.2;

interface Read {
  readonly name: string;
  readonly stale: boolean;
  readonly pageKeys?: number;
}

const reads: readonly Read[] = [
  { name: 'get', stale: false },
  { name: 'stale get', stale: true },
  { name: 'page of 1,000 keys', stale: false, pageKeys: keys },
  { name: 'stale page of 1,000 keys', stale: true, pageKeys: keys },
];

/** What the past of keys costs those who read the present. */
export const historyTrial: Trial = {
  name: 'history',
  title: 'Reads of keys with a long history',
  notes: [
    'One client reads from the leader, one request after the other: keys at random, then pages of all 1,000 keys. Before: each key has been written once. After: as many times more as --overwrites says, at rest for 5 s.',
    'Overwritten / written once: the same reads, in turn with those, of 1,000 keys that were not overwritten. A server gets faster while it runs, and the machine is not always equally quiet: this shows what after / before hides.',
    'Balsa over HTTP/1.1, etcd over gRPC (node:http2). The ratio of after and before is what the goal is about; the times of the two hold different costs of the client.',
  ],
  goals: () => reads.flatMap(goalsOf),
  isComparedByDefault: () => true,
  run,
};

/** Either alone would hide something: a server gets faster while it runs, and keys that were written once may suffer too. */
function goalsOf({ name }: Read): readonly TrialGoal[] {
  return [
    { title: `${name}: at most 20 % slower than before`, figure: slowdownOf(name), below: slowdownBelow },
    {
      title: `${name}: at most 20 % slower than keys written once`,
      figure: againstControlOf(name),
      below: slowdownBelow,
    },
  ];
}

async function run(ground: Ground): Promise<Outcome> {
  const { overwrites, valueBytes } = ground.options;
  const cluster = await ground.startCluster();
  const { leader } = await awake(cluster);
  const target = targetOf(cluster, leader);
  using reader = new GeneratorProcess();

  for (const once of [prefix, controlPrefix]) {
    await loadKeys(cluster, leader, { prefix: once, keys, rounds: 1, valueBytes });
  }
  for (const read of reads) await reader.call('read', { target, prefix, keys, ...read, seconds: warmUpSeconds });
  const before = await measure(reader, target, [prefix]);
  ground.say(`${overwrites} overwrites of each key`);
  const { term, revision } = await awake(cluster);
  const load = await loadKeys(cluster, leader, { prefix, keys, rounds: overwrites, valueBytes });
  await delay(restMs);
  const leadership = await awake(cluster);
  const after = await measure(reader, target, [prefix, controlPrefix]);

  const problems = [...before, ...after].flatMap(({ name, wrong }) =>
    wrong === 0 ? [] : [`${name}: ${wrong} answers did not hold what was asked for`],
  );
  if (leadership.term !== term) problems.push('there was an election during the overwrites');
  if (leadership.revision - revision < load.transactions) problems.push('the revision did not go up with the writes');
  return {
    figures: reads.flatMap((read) => figuresOf(read, before, after)),
    problems,
    details: { before, after, load },
  };
}

interface ReadTimes {
  readonly name: string;
  readonly prefix: string;
  readonly requests: number;
  readonly p50Millis: number;
  readonly p99Millis: number;
  readonly wrong: number;
}

async function measure(
  reader: GeneratorProcess,
  target: Target,
  prefixes: readonly string[],
): Promise<readonly ReadTimes[]> {
  const rows = prefixes.flatMap((from) =>
    reads.map((read) => ({ read, prefix: from, millis: [] as number[], wrong: 0 })),
  );
  for (let slice = 0; slice < slices; slice++) {
    for (const row of rows) {
      const job = { target, prefix: row.prefix, keys, ...row.read, seconds: sliceSeconds };
      const { millis, wrong } = await reader.call('read', job);
      row.millis.push(...millis);
      row.wrong += wrong;
    }
  }
  return rows.map(({ read, prefix: from, millis, wrong }) => ({
    name: read.name,
    prefix: from,
    requests: millis.length,
    p50Millis: percentile(millis, 50),
    p99Millis: percentile(millis, 99),
    wrong,
  }));
}

function figuresOf({ name }: Read, before: readonly ReadTimes[], after: readonly ReadTimes[]): readonly Figure[] {
  const p50Of = (rows: readonly ReadTimes[], from: string) =>
    rows.find((row) => row.name === name && row.prefix === from)?.p50Millis ?? Number.NaN;
  const [earlier, later] = [p50Of(before, prefix), p50Of(after, prefix)];
  return [
    { name: `${name}, p50 before`, unit: 'ms', value: earlier },
    { name: `${name}, p50 after`, unit: 'ms', value: later },
    { name: slowdownOf(name), unit: '×', value: later / earlier },
    { name: againstControlOf(name), unit: '×', value: later / p50Of(after, controlPrefix) },
  ];
}

function slowdownOf(name: string): string {
  return `${name}, after / before`;
}

function againstControlOf(name: string): string {
  return `${name}, after: overwritten / written once`;
}
