import type { FastifyInstance, FastifyReply, FastifyRequest, RouteHandlerMethod, RouteOptions } from 'fastify';
import { requestError } from './request-error.ts';
import { keyPath, keyRoute } from './request-target.ts';

/** Who is told how long requests took. */
export interface RequestMetrics {
  /** What it returns, once for each answer. Milliseconds. */
  route(method: string, route: string): (status: number, durationMs: number) => void;
}

/**
 * Measures every request of the routes that are added from here on, from where it is routed to where its answer is ready.
 * Around the handlers, which are asynchronous: hooks of Fastify's would take a twentieth of the time of a read.
 */
export function measureRequests(app: FastifyInstance, metrics: RequestMetrics): void {
  const inner = new WeakMap<RouteHandlerMethod, RouteHandlerMethod>();
  app.addHook('onRoute', (route: RouteOptions) => {
    // The route that Fastify makes for HEAD comes with the handler of the one for GET.
    const handle = inner.get(route.handler) ?? route.handler;
    const path = route.url === keyRoute ? keyPath : route.url;
    const tell = metrics.route([route.method].flat().join(','), path);
    const measured: RouteHandlerMethod = function (request: FastifyRequest, reply: FastifyReply) {
      const startedMs = performance.now();
      const answer = handle.call(this, request, reply) as Promise<unknown>;
      answer.then(
        () => tell(reply.statusCode, performance.now() - startedMs),
        (reason) => tell(requestError(reason).kind.httpStatus, performance.now() - startedMs),
      );
      return answer;
    };
    inner.set(measured, handle);
    route.handler = measured;
  });
}
