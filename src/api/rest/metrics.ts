import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { KvService } from '../../replica/service.ts';
import { answerHeaders } from './answer-headers.ts';
import { metricsSchema } from './metrics-schema.ts';
import { parameterSet } from './parameters.ts';
import { Query } from './query.ts';
import { splitTarget } from './request-target.ts';

export interface MetricsRoutesOptions {
  readonly kv: KvService;
  readonly metrics: () => Promise<{ readonly contentType: string; readonly body: string }>;
}

const parameters = parameterSet();

/** `/metrics`, for Prometheus. */
export async function metricsRoutes(app: FastifyInstance, options: MetricsRoutesOptions): Promise<void> {
  const { kv, metrics } = options;

  async function showMetrics(request: FastifyRequest, reply: FastifyReply): Promise<string> {
    Query.parse(splitTarget(request.originalUrl).query, parameters);
    const { contentType, body } = await metrics();
    reply.headers(answerHeaders(kv.header(), contentType));
    return body;
  }

  app.get('/metrics', { schema: metricsSchema(parameters) }, showMetrics);
}
