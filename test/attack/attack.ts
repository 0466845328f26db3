import { type ChildProcess, fork } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { growthIn } from '../fuzz/engine/memory-trend.ts';
import { eventually, type NodeProcess, ProcessCluster } from '../support/processes.ts';
import { LinkProxy, Links } from '../torture/link-proxy.ts';
import type { AttackerReport, AttackerTask } from './attacker.ts';
import { HeartbeatGaps, quantile } from './heartbeat-gaps.ts';
import { HonestClient } from './honest-client.ts';
import { residentBytes, starvedMs, vitalsOf } from './vitals.ts';

export interface AttackOptions {
  readonly durationMs: number;
  readonly seed: number;
  /** Hostile ones, at a time. */
  readonly connections: number;
  /** This attack alone. */
  readonly only: string | undefined;
  readonly say: (line: string) => void;
}

/** What was done and measured, in lines for people, and everything that is wrong. */
export interface AttackResult {
  readonly figures: ReadonlyMap<string, string>;
  readonly problems: readonly string[];
}

/**
 * As `balsa serve` has it by default. A follower that hears nothing for so long may call an election. For as long as this process was
 * held up itself, it cannot tell.
 */
const electionTimeoutMs = 1000;
/** On top of what the node has when the attack begins. */
const growthBytesMax = 512 * 1024 * 1024;
const lookMs = 1000;
const settleMs = 60_000;
const attackerPath = fileURLToPath(new URL('./attacker.ts', import.meta.url));

/** Attacks the client port of the leader of three real nodes, while two clients put values there and the others want to hear of it. */
export async function attack(options: AttackOptions): Promise<AttackResult> {
  const gaps = new HeartbeatGaps();
  const links = new Links((from, to) => gaps.onSent(from, to));
  const proxies = await Promise.all([0, 1, 2].map(() => LinkProxy.listen(links)));
  const cluster = await ProcessCluster.prepare(
    3,
    [],
    proxies.map(({ port }) => port),
  );
  // Who a connection leads to has a name from the first one on; who dialed it says its hello.
  for (const [i, proxy] of proxies.entries()) proxy.forwardTo(cluster.node(i).spec.peerPort, cluster.node(i).spec.name);
  try {
    for (const node of cluster.nodes) node.start();
    await cluster.ready();
    const leader = await cluster.leader();
    const { memberId } = (await (await leader.get('/v1/status')).json()) as { readonly memberId: string };
    gaps.watch(memberId);
    return await underAttack(leader, cluster, gaps, options);
  } finally {
    await cluster[Symbol.asyncDispose]();
    for (const proxy of proxies) await proxy[Symbol.asyncDispose]();
  }
}

async function underAttack(
  leader: NodeProcess,
  cluster: ProcessCluster,
  gaps: HeartbeatGaps,
  { durationMs, seed, connections, only, say }: AttackOptions,
): Promise<AttackResult> {
  const before = await vitalsOf(leader);
  const residentBefore = residentBytes(leader);
  const own = monitorEventLoopDelay({ resolution: 10 });
  own.enable();
  const attackers = new Attackers({ port: leader.spec.clientPort, seed, connections, only });
  const clients = ['a', 'b'].map((name) => new HonestClient(leader.url, name));
  const loopDelays: number[] = [];
  const resident: number[] = [];
  const starved: number[] = [];
  let starvedBefore = starvedMs(leader);
  const problems: string[] = [];
  const untilMs = performance.now() + durationMs;
  while (performance.now() < untilMs && problems.length === 0) {
    await delay(lookMs);
    if (!leader.isRunning) {
      problems.push(`the leader ended; its log is ${leader.logPath} in ${cluster.keepDirectories()}`);
      break;
    }
    resident.push(residentBytes(leader));
    const starvedNow = starvedMs(leader);
    starved.push(starvedNow - starvedBefore);
    starvedBefore = starvedNow;
    const vitals = await vitalsOf(leader).catch((reason: unknown) => void problems.push(`${reason}`));
    if (vitals === undefined) continue;
    loopDelays.push(vitals.loopDelayMaxMs);
    if (vitals.raftTerm !== before.raftTerm)
      problems.push(`the term went from ${before.raftTerm} to ${vitals.raftTerm}`);
    if (loopDelays.length % 30 === 0) {
      say(
        `${loopDelays.length} s: ${attackers.connections} connections, longest silence ${ms(gaps.longest)}, ` +
          `event loop held up ${ms(Math.max(...loopDelays))} at most, ${mib(Math.max(...resident))} resident at most`,
      );
    }
  }
  const longest = gaps.longest;
  await attackers.stop();
  for (const client of clients) await client.stop();
  const latencies = clients.flatMap(({ latenciesMs }) => latenciesMs);
  problems.push(...clients.flatMap(({ failures }) => failures));
  if (latencies.length === 0) problems.push('no put was answered');
  const ownMs = own.max / 1e6;
  if (longest - ownMs > electionTimeoutMs) problems.push(`a follower heard nothing of its leader for ${ms(longest)}`);
  const growth = Math.max(...resident) - residentBefore;
  if (growth > growthBytesMax) problems.push(`the leader grew by ${mib(growth)}`);
  const trend = growthIn(resident.map((bytes) => ({ used: 0, resident: bytes })));
  if (trend !== undefined) problems.push(trend);
  if (leader.isRunning) problems.push(...(await left(leader)));
  const figures = new Map<string, string>([
    ['hostile connections', `${attackers.connections}, ${mib(attackers.bytes)} sent`],
    ['puts of others, all answered', `${latencies.length}`],
    ['a put takes (median, p99, max)', quantiles(latencies)],
    [
      'between signs of life of the leader (median, p99, max)',
      `${ms(gaps.quantile(0.5))}, ${ms(gaps.quantile(0.99))}, ${ms(longest)}`,
    ],
    ["leader's event loop held up, worst of each second (median, p99, max)", quantiles(loopDelays)],
    ['leader waited for a processor, in each second (median, p99, max)', quantiles(starved)],
    ['event loop of who measures, held up at most', ms(ownMs)],
    [
      "leader's memory (before, at most, at the end)",
      [residentBefore, Math.max(...resident), resident.at(-1) ?? 0].map(mib).join(', '),
    ],
    ['term (before, after)', `${before.raftTerm}, ${leader.isRunning ? (await vitalsOf(leader)).raftTerm : 'none'}`],
    ...attackers.counts,
  ]);
  return { figures, problems };
}

/** What hostile clients leave behind. */
async function left(leader: NodeProcess): Promise<readonly string[]> {
  try {
    await eventually('nothing of hostile clients is left', settleMs, async () => {
      const { calls, connections, watchers, views } = await vitalsOf(leader);
      return calls + connections + watchers + views === 0;
    });
    return [];
  } catch {
    return [`something of hostile clients is left: ${JSON.stringify(await vitalsOf(leader))}`];
  }
}

/** The hostile ones have a process of their own, so that they hold up nobody who measures. */
class Attackers {
  connections = 0;
  bytes = 0;
  readonly #process: ChildProcess;
  readonly #counts = new Map<string, number>();

  constructor(task: AttackerTask) {
    this.#process = fork(attackerPath, [JSON.stringify(task)], { execArgv: ['--import', 'tsx'] });
    // Attackers bring machines of their own: here they must not take the processor that the leader needs.
    setPriority(this.#process.pid ?? 0, constants.priority.PRIORITY_BELOW_NORMAL);
    this.#process.on('message', (report: AttackerReport) => {
      for (const [name, { connections, bytes }] of Object.entries(report)) {
        this.connections += connections;
        this.bytes += bytes;
        this.#counts.set(name, (this.#counts.get(name) ?? 0) + connections);
      }
    });
  }

  get counts(): readonly (readonly [string, string])[] {
    return [...this.#counts].sort().map(([name, count]) => [name, `${count} connections`]);
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGKILL');
    await ended;
  }
}

function quantiles(values: readonly number[]): string {
  return [0.5, 0.99, 1].map((share) => ms(quantile(values, share))).join(', ');
}

function ms(value: number): string {
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
}

function mib(value: number): string {
  return `${Math.round(value / 2 ** 20)} MiB`;
}
