import { BalsaClient } from './clients/balsa-client.ts';
import type { Client } from './clients/client.ts';
import { EtcdClient } from './clients/etcd-client.ts';
import type { Target } from './commands.ts';

export function openClient({ cluster, url }: Target, connections: number, localAddress?: string): Client {
  const options = { url, connections, ...(localAddress === undefined ? {} : { localAddress }) };
  return cluster === 'balsa' ? new BalsaClient(options) : new EtcdClient(options);
}

/** Microseconds; the same in every process of this machine (CLOCK_MONOTONIC). */
export function monotonicMicros(): number {
  return Number(process.hrtime.bigint()) / 1000;
}
