import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { memoryArguments, memoryEnvironment } from '../../src/cli/process-memory.ts';
import { keyCount, keyOf, makeValue } from '../keys.ts';
import { driveWithWrk } from '../load/wrk.ts';
import { grpcShapes, http1Shapes } from '../scenarios.ts';
import type { Cluster, ClusterStart, Leadership } from './cluster.ts';
import { answeredOverGrpc, driveOverGrpc, keysInAnswerOverGrpc } from './etcd.ts';
import { initialCluster, ServerProcess, serverSpecs } from './server-process.ts';

const manifestSchema = z.object({ bin: z.object({ balsa: z.string() }) });
const manifest = manifestSchema.parse(createRequire(import.meta.url)('../../package.json'));

/** What `npx balsa` starts. */
export const programPath = fileURLToPath(new URL(`../../${manifest.bin.balsa}`, import.meta.url));

/** Beside names, addresses and directories; the defaults otherwise. */
export const balsaFlags: readonly string[] = ['--log-level=warn', '--log-format=json'];

export function isBuilt(): boolean {
  return existsSync(programPath);
}

export type Protocol = 'rest' | 'grpc';

/** The build in `dist/`, driven over HTTP/1.1 by wrk, or over etcd's gRPC by h2load as etcd is. */
export async function startBalsa(
  options: {
    readonly version: string;
    readonly directory: string;
    readonly protocol: Protocol;
    readonly memoryDirectory: string;
  },
  { prepare, nodes: count = 3, flags = [] }: ClusterStart = {},
): Promise<Cluster> {
  const isGrpc = options.protocol === 'grpc';
  const specs = await serverSpecs('balsa', count, options.directory);
  await prepare?.(specs);
  const nodes = specs.map(
    (spec) =>
      new ServerProcess(
        spec,
        process.execPath,
        [
          ...memoryArguments,
          programPath,
          'serve',
          `--name=${spec.name}`,
          `--data-dir=${spec.dataDir}`,
          `--listen-client-urls=${spec.clientUrl}`,
          `--advertise-client-urls=${spec.clientUrl}`,
          `--listen-peer-urls=${spec.peerUrl}`,
          `--initial-advertise-peer-urls=${spec.peerUrl}`,
          `--initial-cluster=${initialCluster(specs)}`,
          ...balsaFlags,
          ...flags,
        ],
        memoryEnvironment,
      ),
  );
  return {
    name: 'balsa',
    version: options.version,
    nodes,
    readyPath: '/readyz',
    shapes: isGrpc ? grpcShapes : http1Shapes,
    leadership: () => leadership(nodes),
    revisionOf: async (node) => statusSchema.parse(await node.json('/v1/status')).revision,
    isReceivingSnapshot: ({ dataDir }) => existsSync(join(dataDir, 'data.incoming')),
    fill: () => fill(nodes),
    drive: (load) => {
      if (isGrpc) return driveOverGrpc(load, options.memoryDirectory);
      const { target, shape, ...rest } = load;
      return driveWithWrk({ ...rest, url: target.clientUrl, connections: shape.connections });
    },
    // wrk looks at the status of each answer.
    answered: isGrpc ? answeredOverGrpc : async () => undefined,
    keysInAnswer: isGrpc ? keysInAnswerOverGrpc : keysInPage,
  };
}

const statusSchema = z.object({
  memberId: z.string(),
  state: z.string(),
  leader: z.string().nullable(),
  raftTerm: z.number(),
  revision: z.number(),
});

async function leadership(nodes: readonly ServerProcess[]): Promise<Leadership | undefined> {
  const answers = await Promise.all(nodes.map((node) => node.json('/v1/status')));
  const statuses = answers.map((answer) => statusSchema.parse(answer));
  const leaderIndex = statuses.findIndex(({ state }) => state === 'leader');
  const [leader, status] = [nodes[leaderIndex], statuses[leaderIndex]];
  if (leader === undefined || status === undefined) return undefined;
  if (statuses.some((other) => other.leader !== status.memberId)) return undefined;
  return {
    leader,
    followers: nodes.filter((node) => node !== leader),
    term: status.raftTerm,
    revision: status.revision,
  };
}

const pageSchema = z.object({ kvs: z.array(z.object({ value: z.string() })) });

/** By the request that `load/wrk.lua` makes. */
async function keysInPage(prefix: string, node: ServerProcess): Promise<number> {
  return pageSchema.parse(await node.json(`/v1/kv?prefix=${prefix}&limit=1000`)).kvs.length;
}

/** 64 clients, each with every 64th key. */
async function fill([node]: readonly ServerProcess[]): Promise<void> {
  if (node === undefined) return;
  const clients = 64;
  await Promise.all(
    Array.from({ length: clients }, async (_, client) => {
      for (let key = client; key < keyCount; key += clients)
        await put(`${node.clientUrl}/v1/kv/${keyOf(key)}`, makeValue(key));
    }),
  );
}

async function put(url: string, value: string): Promise<void> {
  const answer = await fetch(url, { method: 'PUT', body: value, signal: AbortSignal.timeout(10_000) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`a put was answered with ${answer.status}: ${text}`);
}
