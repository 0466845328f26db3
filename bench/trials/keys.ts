import { setTimeout as delay } from 'node:timers/promises';
import { awake, type Cluster } from '../clusters/cluster.ts';
import { diskUsage } from '../disk-usage.ts';
import { MemorySampler } from '../memory-sampler.ts';
import { memoryOf } from '../process-usage.ts';
import { loadKeys, targetOf, verifyLoad } from './generators.ts';
import { measureRestart, type Restart } from './restart.ts';
import { mustHaveRoom } from './room.ts';
import type { Figure, Ground, Outcome, Trial, TrialGoal, TrialOptions } from './trial.ts';

const prefix = 'keys/';
/** Above this a comparison with etcd has to be asked for, and only memory is judged. */
const ordinaryKeysMax = 1_000_000;
/** After the load: tables are merged, buffers written, garbage collected. */
const restMs = 10_000;

const figureNames = {
  rate: 'load rate',
  peak: 'peak memory of a node',
  restart: 'restart until ready, slowest node',
} as const;

/** Very many keys: how fast they come in, what they cost in memory and on disk, and how long a node takes to start. */
export const keysTrial: Trial = {
  name: 'keys',
  title: 'Very many keys',
  notes: [
    'Keys are written in random order with values that do not compress, 100 puts a transaction, 64 transactions outstanding at the leader, by two processes: Balsa over HTTP/1.1 (POST /v1/txn, 64 connections), etcd over gRPC (KV/Txn, 4 connections × 16 streams), which costs etcd less than its JSON gateway. What the generator took is a figure.',
    "Peak memory is the kernel's (VmHWM), the largest of the three nodes, from their start to the end of the trial, restarts included. Files that a process has mapped count (etcd's database, LevelDB's tables), although the kernel can take that memory back; without them: \"own memory\".",
    'Restart: each node in turn gets SIGTERM, ends, and is started again; the time runs from there until /readyz (etcd: /health) answers 200.',
  ],
  goals: goalsOf,
  isComparedByDefault: ({ keys }) => keys <= ordinaryKeysMax,
  run,
};

function goalsOf({ keys }: TrialOptions): readonly TrialGoal[] {
  const memory = { title: 'no node above 300 MiB at any time', figure: figureNames.peak, below: 300 };
  if (keys > ordinaryKeysMax) return [memory];
  return [
    memory,
    { title: 'a restarted node is ready within 2 s', figure: figureNames.restart, below: 2 },
    { title: "load rate at least 1.2 times etcd's", figure: figureNames.rate, ratioAtLeast: 1.2 },
    { title: "peak memory at most 0.2 times etcd's", figure: figureNames.peak, ratioAtMost: 0.2 },
    { title: "restart at most 0.5 times etcd's", figure: figureNames.restart, ratioAtMost: 0.5 },
  ];
}

async function run(ground: Ground): Promise<Outcome> {
  const { keys, valueBytes } = ground.options;
  const cluster = await ground.startCluster();
  mustHaveRoom(cluster, { keys, valueBytes });
  const { leader, term, revision } = await awake(cluster);
  using sampler = new MemorySampler(cluster.nodes);

  const load = await loadKeys(cluster, leader, { prefix, keys, rounds: 1, valueBytes });
  ground.say(`${Math.round(load.keysPerSecond)} keys/s; at rest`);
  const duringLoad = cluster.nodes.map(({ pid }) => memoryOf(pid));
  await delay(restMs);
  const after = await awake(cluster);
  const atRest = cluster.nodes.map(({ pid }) => memoryOf(pid));
  const diskBytes = cluster.nodes.map(({ dataDir }) => diskUsage(dataDir));
  const target = targetOf(cluster, after.leader);
  const wrong = await verifyLoad({ target, prefix, keys, valueBytes, samples: 100 });
  const peaksOfFirstLife = cluster.nodes.map(({ pid }) => memoryOf(pid).peakRssBytes);

  ground.say('restarts');
  const restarts = await restartAll(cluster);
  const peakBytes = cluster.nodes.map(({ pid }, i) => Math.max(peaksOfFirstLife[i] ?? 0, memoryOf(pid).peakRssBytes));

  const figures: readonly Figure[] = [
    { name: figureNames.rate, unit: 'keys/s', value: load.keysPerSecond },
    { name: figureNames.peak, unit: 'MiB', value: mebibytes(Math.max(...peakBytes)) },
    { name: 'peak during the load', unit: 'MiB', value: largest(duringLoad, 'peakRssBytes') },
    { name: 'memory of a node at rest', unit: 'MiB', value: largest(atRest, 'rssBytes') },
    { name: 'own memory of a node at rest', unit: 'MiB', value: largest(atRest, 'anonymousBytes') },
    { name: 'disk of a node after the load', unit: 'MiB', value: mebibytes(Math.max(...diskBytes)) },
    { name: figureNames.restart, unit: 's', value: Math.max(...restarts.map(({ readySeconds }) => readySeconds)) },
    {
      name: 'SIGTERM until ended, slowest',
      unit: 's',
      value: Math.max(...restarts.map(({ endSeconds }) => endSeconds)),
    },
    { name: 'cores of the three nodes', unit: '', value: load.clusterCores },
    { name: 'cores of the generator', unit: '', value: load.generatorCores },
  ];
  return {
    figures,
    problems: [
      ...wrong,
      ...(after.term === term ? [] : ['there was an election during the load']),
      ...revisionProblems(after.revision - revision, load),
    ],
    details: {
      load,
      peakMiB: peakBytes.map(mebibytes),
      restRssMiB: atRest.map(({ rssBytes }) => mebibytes(rssBytes)),
      restOwnMiB: atRest.map(({ anonymousBytes }) => mebibytes(anonymousBytes)),
      diskMiB: diskBytes.map(mebibytes),
      restarts,
      memorySamples: sampler.samples,
    },
  };
}

/** Followers first, then whoever leads: a restart of the leader costs an election too. */
async function restartAll(cluster: Cluster): Promise<readonly Restart[]> {
  const { leader, followers } = await awake(cluster);
  const restarts: Restart[] = [];
  for (const node of [...followers, leader]) {
    restarts.push(await measureRestart(node, cluster.readyPath));
    await awake(cluster);
  }
  return restarts;
}

/** One revision a transaction; what was sent again may have happened the first time too. */
function revisionProblems(
  revisions: number,
  { transactions, retries }: { readonly transactions: number; readonly retries: number },
): readonly string[] {
  if (revisions >= transactions && revisions <= transactions + retries) return [];
  return [`the revision went up by ${revisions}, with ${transactions} transactions acknowledged`];
}

type Memory = ReturnType<typeof memoryOf>;

function largest(memories: readonly Memory[], what: keyof Memory): number {
  return mebibytes(Math.max(...memories.map((memory) => memory[what])));
}

function mebibytes(bytes: number): number {
  return bytes / 2 ** 20;
}
