import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import { keyPath, keyRoute } from './request-target.ts';

/** Who is told how long requests took. */
export interface RequestMetrics {
  /** Called once for each route; what it returns, once for each answer. Milliseconds. */
  route(method: string, route: string): (status: number, durationMs: number) => void;
}

declare module 'fastify' {
  interface FastifyRequest {
    arrivedMs: number;
  }
}

/**
 * Measures every request of the routes that are added from here on. By hooks of the routes, which know whom to tell without
 * looking it up; `onResponse` would cost two listeners a request, so that an answer counts when it begins to be sent.
 */
export function measureRequests(app: FastifyInstance, metrics: RequestMetrics): void {
  app.decorateRequest('arrivedMs', 0);
  const measuring = new WeakSet<object>();
  app.addHook('onRoute', (route: RouteOptions) => {
    const path = route.url === keyRoute ? keyPath : route.url;
    const tell = metrics.route([route.method].flat().join(','), path);
    const measure = (request: FastifyRequest, reply: FastifyReply, _payload: unknown, done: () => void): void => {
      tell(reply.statusCode, performance.now() - request.arrivedMs);
      done();
    };
    measuring.add(measure);
    // The route that Fastify makes for HEAD comes with the hooks of the one for GET.
    const others = [route.onSend ?? []].flat().filter((hook) => !measuring.has(hook));
    route.onRequest = [...[route.onRequest ?? []].flat().filter((hook) => hook !== arrive), arrive];
    route.onSend = [...others, measure];
  });
}

function arrive(request: FastifyRequest, _reply: FastifyReply, done: () => void): void {
  request.arrivedMs = performance.now();
  done();
}
