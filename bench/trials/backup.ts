import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { connect, type KeyValue } from '../../src/client/index.ts';
import { type CommandRun, runBalsa } from '../clusters/balsa-command.ts';
import { awake, type Cluster } from '../clusters/cluster.ts';
import { initialCluster, type ServerSpec } from '../clusters/server-process.ts';
import { GeneratorProcess } from '../generator/generator-process.ts';
import { loadKeys, targetOf } from './generators.ts';
import type { Figure, Ground, Outcome, Trial } from './trial.ts';

const prefix = 'keys/';
/** Light: the backup is to be seen to leave writes alone, not to compete with them. */
const writesPerSecond = 100;
const writesMax = 1_000_000;

const figureNames = { differences: 'keys that differ' } as const;
/** One that is missing shifts all that follow. */
const differencesMax = 10;

/** Saved while writes go on, verified, restored as another cluster, and compared with the original key by key. */
export const backupTrial: Trial = {
  name: 'backup',
  title: 'A backup, restored',
  notes: [
    'All keys are written (as in "keys"); then 100 puts a second of those keys go to the leader while `balsa snapshot save` reads from a follower. `balsa snapshot verify` builds a store of the file and reads it; `balsa snapshot restore`, once for each of three members, makes a new cluster, which is started beside the old one. Each command is a process of its own, its start included.',
    'Compared: every key of the two clusters, in order; value, create and mod revision, version and lease; the old one at the revision of the backup. A difference is a failure of the trial.',
    'Memory of a command is the most that was resident; "own" leaves out files that it has mapped.',
  ],
  goals: () => [{ title: 'every key is what it was', figure: figureNames.differences, below: 1 }],
  isComparedByDefault: () => false,
  run,
};

async function run(ground: Ground): Promise<Outcome> {
  const { keys, valueBytes } = ground.options;
  const original = await ground.startCluster();
  if (original.name !== 'balsa') throw new Error('what is measured here is `balsa snapshot`');
  const { leader, followers, term } = await awake(original);
  const [follower] = followers;
  const load = await loadKeys(original, leader, { prefix, keys, rounds: 1, valueBytes });

  const file = join(dirname(leader.dataDir), 'trial.backup');
  using writer = new GeneratorProcess();
  const job = { target: targetOf(original, leader), prefix, keys, valueBytes, writesPerSecond, writes: writesMax };
  await writer.call('beginWrites', job);
  ground.say('balsa snapshot save');
  const saved = await runBalsa(['snapshot', 'save', file, '--endpoints', (follower ?? leader).clientUrl]);
  ground.say('balsa snapshot verify');
  const verified = await runBalsa(['snapshot', 'verify', file, '--scratch-dir', dirname(leader.dataDir)]);
  const report = await writer.call('endWrites');

  ground.say('balsa snapshot restore, three times');
  const restores: CommandRun[] = [];
  const startMs = performance.now();
  const restored = await ground.startAnother(async (specs) => {
    for (const spec of specs) restores.push(await restore(file, spec, specs));
  });
  const toServing = (performance.now() - startMs) / 1000;
  ground.say('every key is compared');
  const revision = revisionOf(saved);
  const compared = await compare(original, revision, restored);
  const leadership = await awake(original);

  return {
    figures: [
      ...figuresOf('save', [saved]),
      { name: 'size of the file', unit: 'MiB', value: statSync(file).size / 2 ** 20 },
      ...figuresOf('verify', [verified]),
      ...figuresOf('restore of a member, slowest', restores),
      { name: 'restore of all three, one after the other, until they serve', unit: 's', value: toServing },
      { name: 'keys compared', unit: '', value: compared.keys },
      { name: figureNames.differences, unit: '', value: compared.problems.length },
    ],
    problems: [
      ...compared.problems,
      ...(compared.keys >= keys ? [] : [`${keys} keys were written, and ${compared.keys} could be compared`]),
      ...(report.lastFailure === undefined ? [] : [`a put failed: ${report.lastFailure}`]),
      ...(leadership.term === term ? [] : ['there was an election']),
    ],
    details: { load, revision, saved, verified, restores, writes: report.sentMicros.length },
  };
}

/** As docs/operations.md says. */
function restore(
  file: string,
  { name, dataDir, peerUrl }: ServerSpec,
  all: readonly ServerSpec[],
): Promise<CommandRun> {
  return runBalsa([
    'snapshot',
    'restore',
    file,
    `--name=${name}`,
    `--data-dir=${dataDir}`,
    `--initial-cluster=${initialCluster(all)}`,
    `--initial-advertise-peer-urls=${peerUrl}`,
  ]);
}

function revisionOf({ output }: CommandRun): number {
  const { revision } = output as { readonly revision: number };
  return revision;
}

function figuresOf(step: string, runs: readonly CommandRun[]): readonly Figure[] {
  const largest = (what: 'seconds' | 'peakMiB' | 'ownPeakMiB'): number => Math.max(...runs.map((run) => run[what]));
  return [
    { name: step, unit: 's', value: largest('seconds') },
    { name: `${step}: peak memory`, unit: 'MiB', value: largest('peakMiB') },
    { name: `${step}: peak of own memory`, unit: 'MiB', value: largest('ownPeakMiB') },
  ];
}

interface Comparison {
  readonly keys: number;
  readonly problems: readonly string[];
}

/** Walks both clusters in the order of the keys, side by side. */
async function compare(original: Cluster, revision: number, restored: Cluster): Promise<Comparison> {
  // The first page comes with the number of all keys, which takes seconds.
  const pages = { prefix: '', pageSize: 1000, timeoutMs: 60_000 } as const;
  const [left, right] = [clientOf(original), clientOf(restored)];
  const expected = left.list({ ...pages, revision });
  const found = right.list(pages);
  const differences: string[] = [];
  let keys = 0;
  for (;;) {
    const [one, other] = await Promise.all([expected.next(), found.next()]);
    if (one.done === true && other.done === true) break;
    const [before, after] = [describe(one), describe(other)];
    if (before !== after) differences.push(`${before.slice(0, 200)} became ${after.slice(0, 200)}`);
    if (one.done === true || other.done === true || differences.length === differencesMax) break;
    keys++;
  }
  return { keys, problems: differences.map((difference) => `restored differently: ${difference}`) };
}

function clientOf({ nodes }: Cluster): ReturnType<typeof connect> {
  return connect({ endpoints: nodes.map(({ clientUrl }) => clientUrl) });
}

function describe(result: IteratorResult<KeyValue, void>): string {
  if (result.done === true) return 'nothing';
  const { key, value, createRevision, modRevision, version, lease } = result.value;
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
  return JSON.stringify([text(key), createRevision, modRevision, version, lease?.toString(), text(value)]);
}
