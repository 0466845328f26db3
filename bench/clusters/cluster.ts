import { rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { KeySet } from '../keys.ts';
import type { LoadResult } from '../load/load-result.ts';
import type { Shape, Work } from '../scenarios.ts';
import type { Prepare, ServerProcess } from './server-process.ts';

export type ClusterName = 'balsa' | 'etcd';

/** Nodes of one make, as the benchmark needs them. `quiet` and `awake` keep the two clusters out of each other's way. */
export interface Cluster {
  readonly name: ClusterName;
  readonly version: string;
  readonly nodes: readonly ServerProcess[];
  /** Answers 200 when a node can serve. */
  readonly readyPath: string;
  /** How requests come in when so many are outstanding. */
  shapes(outstanding: number): readonly Shape[];
  /** Undefined while the nodes do not all name the same leader. */
  leadership(): Promise<Leadership | undefined>;
  /** What the node itself has applied. Rejects while it does not answer. */
  revisionOf(node: ServerProcess): Promise<number>;
  /** Undefined where it cannot be seen from outside. */
  isReceivingSnapshot(node: ServerProcess): boolean | undefined;
  /** Writes every key once. */
  fill(): Promise<void>;
  drive(load: Load): Promise<LoadResult>;
  /** Requests of this kind that the node has answered so far; undefined where the generator's own count can be trusted. */
  answered(work: Work, node: ServerProcess): Promise<Answered | undefined>;
  /** How many keys one answer to such a read of a prefix holds as `drive` sends. */
  keysInAnswer(prefix: string, node: ServerProcess): Promise<number>;
}

/** How a cluster is made where it is not the usual one: three nodes with empty directories. */
export interface ClusterStart {
  readonly prepare?: Prepare | undefined;
  readonly nodes?: number;
  /** Beside those that every node gets. */
  readonly flags?: readonly string[];
}

export interface Leadership {
  readonly leader: ServerProcess;
  readonly followers: readonly ServerProcess[];
  readonly term: number;
  /** The leader's revision: each put or transaction adds one. */
  readonly revision: number;
}

export interface Load {
  readonly work: Work;
  readonly target: ServerProcess;
  readonly shape: Shape;
  readonly seconds: number;
  /** Another one, other keys. */
  readonly seed: number;
  /** Of requests over HTTP/1.1; absent: those that `fill` writes. */
  readonly keySet?: KeySet | undefined;
}

export interface Answered {
  readonly withSuccess: number;
  readonly withError: number;
}

export function putToSleep(cluster: Cluster): void {
  for (const node of cluster.nodes) node.stop();
}

/** Continues the nodes and waits until they have agreed on a leader who stays: waking up may cost an election. */
export async function awake(cluster: Cluster, timeoutMs = 30_000): Promise<Leadership> {
  for (const node of cluster.nodes) node.continue();
  const deadline = performance.now() + timeoutMs;
  let term = -1;
  let agreedPolls = 0;
  let lastReason: unknown;
  while (performance.now() < deadline) {
    const leadership = await cluster.leadership().catch((reason: unknown) => {
      lastReason = reason;
      return undefined;
    });
    for (const node of cluster.nodes) node.mustRun();
    agreedPolls = leadership !== undefined && leadership.term === term ? agreedPolls + 1 : 0;
    term = leadership?.term ?? -1;
    if (leadership !== undefined && agreedPolls >= 4) return leadership;
    await delay(100);
  }
  throw new Error(`${cluster.name} has agreed on no leader within ${timeoutMs} ms`, { cause: lastReason });
}

/** Ends the nodes at once and removes their data: for clusters that live for one trial. */
export async function remove(cluster: Cluster): Promise<void> {
  await Promise.all(cluster.nodes.map((node) => node.kill()));
  for (const node of cluster.nodes) rmSync(node.dataDir, { recursive: true, force: true });
}
