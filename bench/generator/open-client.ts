import { BalsaClient } from './clients/balsa-client.ts';
import type { Client, ClientOptions } from './clients/client.ts';
import { EtcdClient } from './clients/etcd-client.ts';
import type { Target } from './commands.ts';

export function openClient(
  { cluster, url }: Target,
  connections: number,
  more: Omit<ClientOptions, 'url' | 'connections'> = {},
): Client {
  const options = { ...more, url, connections };
  return cluster === 'balsa' ? new BalsaClient(options) : new EtcdClient(options);
}

/** Microseconds; the same in every process of this machine (CLOCK_MONOTONIC). */
export function monotonicMicros(): number {
  return Number(process.hrtime.bigint()) / 1000;
}
