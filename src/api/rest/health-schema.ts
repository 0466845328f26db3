import type { FastifySchema } from 'fastify';
import type { ParameterSet } from './parameters.ts';
import { answer, problems } from './schema-parts.ts';

const tags = ['Health'];

const checkText = {
  'text/plain': {
    schema: { type: 'string' },
    example: '[+]running ok\n[-]leader failed: the cluster has no leader\nreadyz check failed\n',
  },
};

export function checkSchema(name: 'livez' | 'readyz', parameters: ParameterSet): FastifySchema {
  const question = { livez: 'Does the process do its work?', readyz: 'Can it serve linearizable requests?' };
  return {
    operationId: name,
    summary: question[name],
    tags,
    querystring: parameters.schema,
    response: {
      ...problems(),
      200: answer({ description: 'Yes.', content: checkText }),
      503: answer({ description: 'No; a line for each check says why.', content: checkText }),
    },
  };
}

export function healthSchema(parameters: ParameterSet): FastifySchema {
  const health = {
    type: 'object',
    properties: { health: { type: 'string', enum: ['true', 'false'] }, reason: { type: 'string' } },
    required: ['health', 'reason'],
    additionalProperties: false,
  };
  return {
    operationId: 'health',
    summary: 'Health as etcd tells it',
    tags,
    querystring: parameters.schema,
    response: {
      ...problems(),
      200: answer({ description: 'Healthy.', content: { 'application/json': { schema: health } } }),
      503: answer({ description: 'Not healthy.', content: { 'application/json': { schema: health } } }),
    },
  };
}
