/**
 * What a request asks for. A stale get is answered from the node's own state; etcd calls it serializable. A `txn` is
 * three compares that hold and three puts; a `prefix` is a linearizable read of all keys that begin with it.
 */
export type Work = 'put' | 'get' | 'stale-get' | 'txn' | 'prefix';
export type Role = 'leader' | 'follower';

export interface Scenario {
  readonly name: string;
  readonly title: string;
  readonly work: Work;
  /** The node that all requests of a run are sent to. */
  readonly role: Role;
}

export const scenarios: readonly Scenario[] = [
  { name: 'put-leader', title: 'Put, sent to the leader', work: 'put', role: 'leader' },
  { name: 'put-follower', title: 'Put, sent to a follower', work: 'put', role: 'follower' },
  { name: 'get-leader', title: 'Linearizable get, sent to the leader', work: 'get', role: 'leader' },
  { name: 'get-follower', title: 'Linearizable get, sent to a follower', work: 'get', role: 'follower' },
  { name: 'stale-get-leader', title: 'Stale get, sent to the leader', work: 'stale-get', role: 'leader' },
  { name: 'stale-get-follower', title: 'Stale get, sent to a follower', work: 'stale-get', role: 'follower' },
  {
    name: 'txn-leader',
    title: 'Transaction of 3 compares and 3 puts, sent to the leader',
    work: 'txn',
    role: 'leader',
  },
  {
    name: 'prefix-leader',
    title: 'Linearizable read of a prefix, 1,000 keys a request, sent to the leader',
    work: 'prefix',
    role: 'leader',
  },
];

/** Each such request that is acknowledged has made one revision. */
export function isWrite(work: Work): boolean {
  return work === 'put' || work === 'txn';
}

/** How outstanding requests are spread: `connections` × `streams` on each. */
export interface Shape {
  readonly connections: number;
  readonly streams: number;
}

/** An HTTP/1.1 connection has one request outstanding. */
export function http1Shapes(outstanding: number): readonly Shape[] {
  return [{ connections: outstanding, streams: 1 }];
}

/**
 * gRPC clients multiplex, so the same number of outstanding requests comes in several shapes, and etcd's throughput
 * differs between them. Where that matters most, at 256, both the shape of a few busy clients (4 × 64) and that of many
 * calm ones (64 × 4) are measured, and Balsa is held against each. 1,000 have the shape next to that of 1,024 (16 × 64)
 * which is exactly as many: 20 × 50.
 */
export function grpcShapes(outstanding: number): readonly Shape[] {
  if (outstanding === 64) return [{ connections: 4, streams: 16 }];
  if (outstanding === 1000) return [{ connections: 20, streams: 50 }];
  if (outstanding === 256) {
    return [
      { connections: 4, streams: 64 },
      { connections: 64, streams: 4 },
    ];
  }
  const streams = [64, 16, 4, 1].find((count) => outstanding % count === 0 && outstanding / count >= 4) ?? 1;
  return [{ connections: outstanding / streams, streams }];
}

export function outstandingOf({ connections, streams }: Shape): number {
  return connections * streams;
}

export function describeShape({ connections, streams }: Shape): string {
  return `${connections} × ${streams}`;
}
