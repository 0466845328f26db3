import type { FastifySchema } from 'fastify';
import type { ParameterSet } from './parameters.ts';
import { answer, problems } from './schema-parts.ts';

export function metricsSchema(parameters: ParameterSet): FastifySchema {
  return {
    operationId: 'metrics',
    summary: 'Metrics for Prometheus',
    tags: ['Health'],
    querystring: parameters.schema,
    response: {
      200: answer({
        description: "Prometheus' text format.",
        content: { 'text/plain': { schema: { type: 'string' } } },
      }),
      ...problems(),
    },
  };
}
