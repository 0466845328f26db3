import type { Registry } from 'prom-client';
import type { RequestMetrics } from '../../api/rest/index.ts';
import type { Gauges, Sample } from './gauges.ts';
import { type Histogram, HistogramFamily } from './histogram.ts';

/** Requests of clients over HTTP, by route and method; a key is no label. */
export function requestMetrics(registry: Registry, gauges: Gauges): RequestMetrics {
  const durations = new HistogramFamily(registry, [
    {
      name: 'balsa_http_request_duration_seconds',
      help: 'From where a request is routed until its answer is ready; a watch is answered when it begins.',
    },
  ]);
  const routes = new Map<string, Route>();
  gauges.counters('balsa_http_requests_total', 'Requests that were answered.', ['method', 'route', 'status'], () =>
    [...routes.values()].flatMap(({ method, route, byStatus }): Sample[] =>
      [...byStatus].map(([status, value]) => ({ labels: { method, route, status: `${status}` }, value })),
    ),
  );
  return {
    route: (method, route) => {
      const name = `${method} ${route}`;
      const known = routes.get(name);
      if (known !== undefined) return known.tell;
      // A route that nobody asks for is not shown.
      let histogram: Histogram | undefined;
      const byStatus = new Map<number, number>();
      const tell = (status: number, durationMs: number): void => {
        histogram ??= durations.child({ method, route });
        histogram.observe(durationMs / 1000);
        byStatus.set(status, (byStatus.get(status) ?? 0) + 1);
      };
      routes.set(name, { method, route, byStatus, tell });
      return tell;
    },
  };
}

interface Route {
  readonly method: string;
  readonly route: string;
  readonly byStatus: ReadonlyMap<number, number>;
  readonly tell: (status: number, durationMs: number) => void;
}
