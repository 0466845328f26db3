import { setTimeout as delay } from 'node:timers/promises';
import { awake, type Cluster } from '../clusters/cluster.ts';
import type { WriteReport } from '../generator/commands.ts';
import { GeneratorProcess } from '../generator/generator-process.ts';
import { monotonicMicros } from '../generator/open-client.ts';
import { memoryOf } from '../process-usage.ts';
import { medianOf, percentile } from '../statistics.ts';
import { caughtUp } from './caught-up.ts';
import { sum, targetOf } from './generators.ts';
import type { Ground, Outcome, Trial } from './trial.ts';

const prefix = 'attempts/';
const intervalMs = 5;
const timeoutMs = 200;
/** Attempts go on for so long before a kill: connections are there, and code is compiled. */
const settleMs = 1000;
/** The default of both; kills are spread over it, so that none is always right after a heartbeat. */
const heartbeatMs = 100;
const restAfterStartMs = 5000;

const figureNames = {
  median: 'kill until a put succeeds, median',
  atRest: 'memory of a node 5 s after its first start',
} as const;

/** How long there is nobody who takes writes when the leader is gone from one moment to the next. */
export const failoverTrial: Trial = {
  name: 'failover',
  title: 'The leader is killed',
  notes: [
    `Three nodes with their default timings. One process tries a put of five bytes every ${intervalMs} ms, at the two nodes that will survive in turn, each at its time whatever became of those before, and gives each up after ${timeoutMs} ms; Balsa over HTTP/1.1, etcd over gRPC. The leader gets SIGKILL; the time runs from there to the first acknowledgement of a put that was sent when its process was gone. Then it is started again on its data, and the next kill waits until it is ready and has applied everything.`,
    'Kills come at different moments between two heartbeats. Every attempt has a key of its own: in the end there have to be as many keys as were acknowledged, at least, and at most as many as were tried.',
    'Memory after the first start is resident memory, of the node that has most, of three with empty directories before any request.',
  ],
  goals: () => [
    { title: "median time without writes at most etcd's", figure: figureNames.median, ratioAtMost: 1 },
    { title: 'an empty node takes less than 80 MiB', figure: figureNames.atRest, below: 80 },
  ],
  isComparedByDefault: () => true,
  run,
};

async function run(ground: Ground): Promise<Outcome> {
  const { kills } = ground.options;
  const started = performance.now();
  const cluster = await ground.startCluster();
  await delay(Math.max(0, restAfterStartMs - (performance.now() - started)));
  const memory = cluster.nodes.map(({ pid }) => memoryOf(pid));

  using generator = new GeneratorProcess();
  await generator.ready();
  const failovers: Failover[] = [];
  for (let kill = 0; kill < kills; kill++) {
    const first = sum(failovers.map(({ sent }) => sent));
    const failover = await killLeader(cluster, generator, { first, settleMs: settleMs + ((kill * 37) % heartbeatMs) });
    failovers.push(failover);
    ground.say(`kill ${kill + 1} of ${kills}: puts succeed after ${Math.round(failover.millis)} ms`);
  }

  const times = failovers.map(({ millis }) => millis);
  return {
    figures: [
      { name: figureNames.median, unit: 'ms', value: medianOf(times) },
      { name: 'kill until a put succeeds, p90', unit: 'ms', value: percentile(times, 90) },
      { name: 'kill until a put succeeds, longest', unit: 'ms', value: percentile(times, 100) },
      {
        name: 'start until caught up, median',
        unit: 's',
        value: medianOf(failovers.map((one) => one.caughtUpSeconds)),
      },
      { name: figureNames.atRest, unit: 'MiB', value: mebibytes(memory.map(({ rssBytes }) => rssBytes)) },
      { name: 'own memory of it', unit: 'MiB', value: mebibytes(memory.map(({ anonymousBytes }) => anonymousBytes)) },
    ],
    problems: [...failovers.flatMap(({ problems }) => problems), ...(await keyProblems(cluster, generator, failovers))],
    details: { failovers },
  };
}

interface Failover {
  readonly killed: string;
  /** From the signal to the acknowledgement. */
  readonly millis: number;
  readonly caughtUpSeconds: number;
  readonly terms: number;
  readonly sent: number;
  readonly acknowledged: number;
  readonly lastFailure: string | undefined;
  readonly problems: readonly string[];
}

async function killLeader(
  cluster: Cluster,
  generator: GeneratorProcess,
  attempts: { readonly first: number; readonly settleMs: number },
): Promise<Failover> {
  const { leader, followers, term } = await awake(cluster);
  const targets = followers.map((node) => targetOf(cluster, node));
  await generator.call('beginAttempts', { targets, prefix, first: attempts.first, intervalMs, timeoutMs });
  await delay(attempts.settleMs);

  const killedMicros = monotonicMicros();
  await leader.kill();
  // What the leader acknowledged in its last moment says nothing about its successor.
  const acknowledged = await generator.call('firstAcknowledged', monotonicMicros());
  const report = await generator.call('endAttempts');

  const startMs = performance.now();
  leader.start();
  const after = await awake(cluster);
  if (after.leader !== leader) await caughtUp(cluster, after.leader, leader, 0);
  return {
    killed: leader.name,
    millis: (acknowledged - killedMicros) / 1000,
    caughtUpSeconds: (performance.now() - startMs) / 1000,
    terms: after.term - term,
    sent: report.sentMicros.length,
    acknowledged: report.acknowledgedMicros.filter((micros) => !Number.isNaN(micros)).length,
    lastFailure: report.lastFailure,
    problems: problemsBefore(killedMicros, report),
  };
}

/** Where attempts fail anyway, a success after the kill may come late for another reason. */
function problemsBefore(killedMicros: number, { sentMicros, acknowledgedMicros }: WriteReport): readonly string[] {
  const toMicros = killedMicros - timeoutMs * 1000;
  const fromMicros = toMicros - (settleMs / 2) * 1000;
  const before = [...sentMicros.keys()].filter((i) => {
    const sent = sentMicros[i] ?? Number.NaN;
    return sent >= fromMicros && sent < toMicros;
  });
  const failed = before.filter((i) => Number.isNaN(acknowledgedMicros[i]));
  if (before.length === 0) return ['no put was tried before a kill'];
  return failed.length === 0 ? [] : [`${failed.length} of ${before.length} puts before a kill failed`];
}

/** An attempt that was given up may have been done. */
async function keyProblems(
  cluster: Cluster,
  generator: GeneratorProcess,
  failovers: readonly Failover[],
): Promise<readonly string[]> {
  const { leader } = await awake(cluster);
  const sent = sum(failovers.map((failover) => failover.sent));
  const acknowledged = sum(failovers.map((failover) => failover.acknowledged));
  const job = { target: targetOf(cluster, leader), prefix, keys: sent, valueBytes: 0, samples: 0 };
  const { count } = await generator.call('verify', job);
  if (count >= acknowledged && count <= sent) return [];
  return [`there are ${count} keys, with ${acknowledged} puts acknowledged and ${sent} tried`];
}

function mebibytes(bytes: readonly number[]): number {
  return Math.max(...bytes) / 2 ** 20;
}
