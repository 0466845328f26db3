import { z } from 'zod';
import { endOfPrefix } from '../generator/clients/etcd-messages.ts';
import { keyCount, keyOf, makeValue } from '../keys.ts';
import { requestsOf } from '../load/grpc-message.ts';
import { driveWithH2load } from '../load/h2load.ts';
import type { LoadResult } from '../load/load-result.ts';
import { grpcShapes, type Work } from '../scenarios.ts';
import type { Answered, Cluster, ClusterStart, Leadership, Load } from './cluster.ts';
import { initialCluster, ServerProcess, serverSpecs } from './server-process.ts';

/** Beside names, addresses and directories; the defaults otherwise. The quota is raised because the history of a long benchmark would fill the default of 2 GiB. */
export const etcdFlags: readonly string[] = [
  '--logger=zap',
  '--log-level=error',
  `--quota-backend-bytes=${8 * 1024 ** 3}`,
];

/** Debian's etcd, driven over gRPC by h2load. */
export async function startEtcd(
  options: { readonly version: string; readonly directory: string; readonly memoryDirectory: string },
  { nodes: count = 3, flags = [] }: Omit<ClusterStart, 'prepare'> = {},
): Promise<Cluster> {
  const specs = await serverSpecs('etcd', count, options.directory);
  const nodes = specs.map(
    (spec) =>
      new ServerProcess(spec, 'etcd', [
        `--name=${spec.name}`,
        `--data-dir=${spec.dataDir}`,
        `--listen-client-urls=${spec.clientUrl}`,
        `--advertise-client-urls=${spec.clientUrl}`,
        `--listen-peer-urls=${spec.peerUrl}`,
        `--initial-advertise-peer-urls=${spec.peerUrl}`,
        `--initial-cluster=${initialCluster(specs)}`,
        ...etcdFlags,
        ...flags,
      ]),
  );
  return {
    name: 'etcd',
    version: options.version,
    nodes,
    readyPath: '/health',
    shapes: grpcShapes,
    leadership: () => leadership(nodes),
    revisionOf: async (node) =>
      Number(statusSchema.parse(await node.json('/v3/maintenance/status', {})).header.revision),
    isReceivingSnapshot: () => undefined,
    fill: () => fill(nodes),
    drive: (load) => driveOverGrpc(load, options.memoryDirectory),
    answered: answeredOverGrpc,
    keysInAnswer: keysInAnswerOverGrpc,
  };
}

const statusSchema = z.object({
  leader: z.string(),
  header: z.object({ member_id: z.string(), revision: z.string(), raft_term: z.string() }),
});

async function leadership(nodes: readonly ServerProcess[]): Promise<Leadership | undefined> {
  const answers = await Promise.all(nodes.map((node) => node.json('/v3/maintenance/status', {})));
  const statuses = answers.map((answer) => statusSchema.parse(answer));
  const leaderIndex = statuses.findIndex(({ leader, header }) => leader === header.member_id);
  const [leader, status] = [nodes[leaderIndex], statuses[leaderIndex]];
  if (leader === undefined || status === undefined) return undefined;
  if (statuses.some((other) => other.leader !== status.leader)) return undefined;
  return {
    leader,
    followers: nodes.filter((node) => node !== leader),
    term: Number(status.header.raft_term),
    revision: Number(status.header.revision),
  };
}

/** 100 keys a transaction; etcd allows 128. */
async function fill([node]: readonly ServerProcess[]): Promise<void> {
  for (let first = 0; first < keyCount; first += 100) {
    const success = Array.from({ length: 100 }, (_, i) => ({
      request_put: { key: base64(keyOf(first + i)), value: base64(makeValue(first + i)) },
    }));
    await node?.json('/v3/kv/txn', { success });
  }
}

const methods = {
  put: 'Put',
  get: 'Range',
  'stale-get': 'Range',
  txn: 'Txn',
  prefix: 'Range',
} as const satisfies Record<Work, string>;

/** The same requests for etcd and for Balsa. */
export async function driveOverGrpc(
  { work, target, shape, seconds, seed, keySet }: Load,
  directory: string,
): Promise<LoadResult> {
  if (keySet !== undefined) throw new Error('h2load has one body file, for the keys that `fill` writes');
  return driveWithH2load({
    url: target.clientUrl,
    method: `/etcdserverpb.KV/${methods[work]}`,
    bodyOf: requestsOf(work, seed),
    firstIndex: (seed * 3643) % keyCount,
    shape,
    seconds,
    directory,
  });
}

/** What the server itself says it answered: h2load does not look at gRPC's status. */
export async function answeredOverGrpc(work: Work, node: ServerProcess): Promise<Answered> {
  const metrics = await node.text('/metrics');
  const counters = metrics.matchAll(/^grpc_server_handled_total\{([^}]*)\} (\S+)$/gm);
  let withSuccess = 0;
  let withError = 0;
  for (const [, labels = '', count] of counters) {
    if (!labels.includes('grpc_service="etcdserverpb.KV"') || !labels.includes(`grpc_method="${methods[work]}"`))
      continue;
    if (labels.includes('grpc_code="OK"')) withSuccess += Number(count);
    else withError += Number(count);
  }
  return { withSuccess, withError };
}

const rangeSchema = z.object({ kvs: z.array(z.object({ value: z.string() })) });

/** Through the JSON gateway, which asks the same service. */
export async function keysInAnswerOverGrpc(prefix: string, node: ServerProcess): Promise<number> {
  const range = { key: base64(prefix), range_end: base64(endOfPrefix(prefix)) };
  return rangeSchema.parse(await node.json('/v3/kv/range', range)).kvs.length;
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
