import { encode } from '../../src/api/etcd/proto/binary.ts';
import type { Init, MessageType } from '../../src/api/etcd/proto/message-type.ts';
import * as cluster from '../../src/api/etcd/proto/messages/cluster.ts';
import * as kv from '../../src/api/etcd/proto/messages/kv.ts';
import * as lease from '../../src/api/etcd/proto/messages/lease.ts';
import * as lock from '../../src/api/etcd/proto/messages/lock.ts';
import * as maintenance from '../../src/api/etcd/proto/messages/maintenance.ts';
import * as watch from '../../src/api/etcd/proto/messages/watch.ts';
import type { Random } from '../../src/base/random.ts';
import { pick } from '../fuzz/engine/mutate.ts';

/** A method of etcd's API with requests that a well-behaved client would send. */
export interface CallKind {
  readonly path: string;
  /** How often, beside the others. */
  readonly weight: number;
  readonly requests: (random: Random) => readonly Uint8Array[];
}

/** What the requests are about; there before the first of them. */
export interface Stock {
  readonly keys: number;
  readonly leases: readonly bigint[];
}

export const manyPrefix = 'many/';

export function callKinds({ keys, leases }: Stock): readonly CallKind[] {
  const key = (random: Random) => bytes(`${manyPrefix}${random.below(keys)}`);
  const all = { key: bytes(manyPrefix), rangeEnd: bytes('many0') };
  const leaseOf = (random: Random) => ({ id: pick(random, leases) });
  const wait = (random: Random) => ({ name: bytes(`queue/${random.below(4)}`), lease: pick(random, leases) });
  const put = (random: Random) => ({ key: key(random), value: Buffer.alloc(random.below(2000), 'v') });
  const watched = (random: Random) => ({ createRequest: random.below(2) === 0 ? all : { key: key(random) } });
  const one =
    <Request extends object>(type: MessageType<Request>, make: (random: Random) => Init<Request>) =>
    (random: Random) => [encode(type, make(random))];
  const several =
    <Request extends object>(type: MessageType<Request>, make: (random: Random) => Init<Request>) =>
    (random: Random) =>
      Array.from({ length: 1 + random.below(5) }, () => encode(type, make(random)));
  const kinds: readonly (readonly [string, number, CallKind['requests']])[] = [
    ['etcdserverpb.KV/Range', 20, one(kv.RangeRequest, (random) => ({ key: key(random) }))],
    ['etcdserverpb.KV/Range', 4, one(kv.RangeRequest, () => all)],
    ['etcdserverpb.KV/Range', 4, one(kv.RangeRequest, (random) => ({ ...all, limit: 1 + random.below(50) }))],
    ['etcdserverpb.KV/RangeStream', 3, one(kv.RangeRequest, () => all)],
    ['etcdserverpb.KV/Put', 15, one(kv.PutRequest, put)],
    ['etcdserverpb.KV/DeleteRange', 5, one(kv.DeleteRangeRequest, (random) => ({ key: key(random) }))],
    ['etcdserverpb.KV/Txn', 8, one(kv.TxnRequest, (random) => ({ success: [{ requestPut: put(random) }] }))],
    ['etcdserverpb.Watch/Watch', 20, several(watch.WatchRequest, watched)],
    ['etcdserverpb.Lease/LeaseKeepAlive', 8, several(lease.LeaseKeepAliveRequest, leaseOf)],
    ['etcdserverpb.Lease/LeaseGrant', 2, one(lease.LeaseGrantRequest, () => ({ ttl: 1 }))],
    ['etcdserverpb.Lease/LeaseTimeToLive', 3, one(lease.LeaseTimeToLiveRequest, leaseOf)],
    ['etcdserverpb.Lease/LeaseLeases', 2, one(lease.LeaseLeasesRequest, () => ({}))],
    ['v3lockpb.Lock/Lock', 4, one(lock.LockRequest, wait)],
    ['v3electionpb.Election/Campaign', 4, one(lock.CampaignRequest, wait)],
    ['v3electionpb.Election/Observe', 3, one(lock.LeaderRequest, () => ({ name: bytes('queue/0') }))],
    ['etcdserverpb.Cluster/MemberList', 3, one(cluster.MemberListRequest, () => ({ linearizable: true }))],
    ['etcdserverpb.Maintenance/Status', 3, one(maintenance.StatusRequest, () => ({}))],
    ['etcdserverpb.Maintenance/HashKV', 1, one(maintenance.HashKvRequest, () => ({}))],
    ['etcdserverpb.Maintenance/Snapshot', 1, one(maintenance.SnapshotRequest, () => ({}))],
  ];
  return kinds.map(([path, weight, requests]) => ({ path: `/${path}`, weight, requests }));
}

export function pickKind(random: Random, kinds: readonly CallKind[]): CallKind {
  let left = random.below(kinds.reduce((sum, { weight }) => sum + weight, 0));
  for (const kind of kinds) {
    left -= kind.weight;
    if (left < 0) return kind;
  }
  return pick(random, kinds);
}

/** A message as it stands in a gRPC stream. */
export function framed(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

export function bytes(text: string): Buffer {
  return Buffer.from(text);
}
