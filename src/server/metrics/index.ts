import { collectDefaultMetrics, Registry } from 'prom-client';
import type { RequestMetrics } from '../../api/rest/index.ts';
import type { ReplicaMetrics } from '../../replica/index.ts';
import type { TransportMetrics } from '../../transport/index.ts';
import { type CallSource, registerCalls } from './calls.ts';
import { registerEtcdState } from './etcd-state.ts';
import { Gauges } from './gauges.ts';
import { peerMetrics } from './peers.ts';
import { replicaMetrics } from './replica.ts';
import { requestMetrics } from './requests.ts';
import { registerState, type StateSources } from './state.ts';

export type { StateSources } from './state.ts';

export interface NodeMetrics {
  readonly replica: ReplicaMetrics;
  readonly transport: TransportMetrics;
  readonly requests: RequestMetrics;
  /** Tells of the calls of etcd's API from now on. */
  countCalls(calls: CallSource): void;
  /** In Prometheus' text format. */
  render(): Promise<{ readonly contentType: string; readonly body: string }>;
}

/**
 * One registry a node, so that several nodes in one process stay apart. What etcd's dashboards and alerts ask for is there
 * under etcd's names as well. `sources` is undefined until the member is put together.
 */
export function createMetrics(
  identity: { readonly version: string; readonly memberId: string },
  sources: () => StateSources | undefined,
): NodeMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const gauges = new Gauges(registry);
  gauges.gauges('balsa_build_info', 'Always 1; the label says which version runs.', ['version'], () => [
    { labels: { version: identity.version }, value: 1 },
  ]);
  registerState(gauges, sources);
  registerEtcdState(gauges, identity, sources);
  return {
    replica: replicaMetrics(registry, gauges),
    transport: peerMetrics(registry, gauges),
    requests: requestMetrics(registry, gauges),
    countCalls: (calls) => registerCalls(registry, gauges, calls),
    render: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
  };
}
