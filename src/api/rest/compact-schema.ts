import type { FastifySchema } from 'fastify';
import { idempotencyKeyHeader } from './idempotency-key.ts';
import type { ParameterSet } from './parameters.ts';
import { answer, historyCodes, problems, writeCodes } from './schema-parts.ts';

const revision = { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER };

export const compactBody = {
  type: 'object',
  properties: { revision: { ...revision, description: 'The oldest revision that can still be read afterwards.' } },
  required: ['revision'],
  additionalProperties: false,
};

export function compactSchema(parameters: ParameterSet): FastifySchema {
  return {
    operationId: 'compact',
    summary: 'Forget the past',
    description:
      'On all members: reads and watches can go back to `revision` and no further. What the keys are at it is kept.',
    tags: ['Keys and values'],
    querystring: parameters.schema,
    headers: { type: 'object', properties: idempotencyKeyHeader },
    response: {
      200: answer({
        description: 'What was before is gone; its space is given back in the background.',
        content: {
          'application/json': {
            schema: {
              type: 'object',
              properties: { revision: { ...revision, description: "The store's present revision." } },
              required: ['revision'],
              additionalProperties: false,
            },
            example: { revision: 7 },
          },
        },
      }),
      ...problems('too_large', ...historyCodes, ...writeCodes),
    },
  };
}
