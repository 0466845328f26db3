import { Counter, type Registry } from 'prom-client';
import type { CallCount } from '../../api/etcd/index.ts';

/** Under the names that etcd has for them, so that its dashboards and alerts show them. */
export function registerCalls(registry: Registry, counts: () => Iterable<CallCount>): void {
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
