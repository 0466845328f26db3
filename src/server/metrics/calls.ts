import { Counter, type Registry } from 'prom-client';
import type { CallCount, GrpcServer } from '../../api/etcd/index.ts';
import type { Gauges } from './gauges.ts';

/** What the calls are asked of. */
export type CallSource = Pick<GrpcServer, 'counts' | 'sessions'>;

/** Under the names that etcd has for them, so that its dashboards and alerts show them, and what etcd does not tell. */
export function registerCalls(registry: Registry, gauges: Gauges, calls: CallSource): void {
  const counts = (): Iterable<CallCount> => calls.counts.all();
  gauges.gauge('balsa_grpc_connections', "Connections that speak etcd's API over gRPC.", () => calls.sessions);
  const underWay = "Calls of etcd's API over gRPC that were begun and have not ended; a watch is one.";
  gauges.gauge('balsa_grpc_calls', underWay, () => calls.counts.underWay);
  const labelNames = ['grpc_service', 'grpc_method', 'grpc_type'] as const;
  const labelsOf = ({ service, method, type }: CallCount) => ({
    grpc_service: service,
    grpc_method: method,
    grpc_type: type,
  });
  new Counter({
    name: 'grpc_server_started_total',
    help: "Calls of etcd's API over gRPC that were begun.",
    labelNames,
    registers: [registry],
    collect() {
      this.reset();
      for (const count of counts()) this.inc(labelsOf(count), count.started);
    },
  });
  new Counter({
    name: 'grpc_server_handled_total',
    help: "Calls of etcd's API over gRPC that ended, by how.",
    labelNames: ['grpc_code', ...labelNames],
    registers: [registry],
    collect() {
      this.reset();
      for (const count of counts()) {
        for (const [code, ended] of count.handled) this.inc({ grpc_code: code, ...labelsOf(count) }, ended);
      }
    },
  });
}
