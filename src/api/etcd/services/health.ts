import type { EtcdOptions } from '../etcd-options.ts';
import { type Service, type StreamMethod, unary } from '../method.ts';
import type { MessageOf } from '../proto/message-type.ts';
import { HealthCheckRequest, HealthCheckResponse } from '../proto/messages/health.ts';

type Answer = MessageOf<typeof HealthCheckResponse>;

const watchMs = 1000;

/** `grpc.health.v1.Health`: whether this member can serve. */
export function healthService({ cluster }: EtcdOptions): Service {
  const status = (): number => (cluster.liveness().every(({ ok }) => ok) ? 1 : 2);

  const watch: StreamMethod<HealthCheckRequest, Answer> = {
    kind: 'stream',
    name: 'Watch',
    paths: [],
    request: HealthCheckRequest,
    response: HealthCheckResponse,
    requests: 'one',
    open: (call) => {
      let told = -1;
      const tell = (): void => {
        const now = status();
        if (now !== told) call.send({ status: now });
        told = now;
      };
      const timer = setInterval(tell, watchMs);
      return { onRequest: tell, onEnd: () => {}, onClose: () => clearInterval(timer) };
    },
  };

  return {
    name: 'grpc.health.v1.Health',
    methods: [unary('Check', [], HealthCheckRequest, HealthCheckResponse, async () => ({ status: status() })), watch],
  };
}
