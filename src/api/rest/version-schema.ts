import type { FastifySchema } from 'fastify';
import type { ParameterSet } from './parameters.ts';
import { answer, problems } from './schema-parts.ts';

const tags = ['About'];

const version = {
  type: 'object',
  properties: {
    etcdserver: { type: 'string', description: 'The etcd whose behaviour this server offers.' },
    etcdcluster: { type: 'string' },
    balsa: { type: 'string' },
  },
  required: ['etcdserver', 'etcdcluster', 'balsa'],
  additionalProperties: false,
};

export function versionSchema(parameters: ParameterSet): FastifySchema {
  return {
    operationId: 'version',
    summary: 'Versions',
    tags,
    querystring: parameters.schema,
    response: {
      200: answer({ description: 'The versions.', content: { 'application/json': { schema: version } } }),
      ...problems(),
    },
  };
}

export function greetingSchema(parameters: ParameterSet): FastifySchema {
  return {
    operationId: 'greeting',
    summary: 'Where to look',
    tags,
    querystring: parameters.schema,
    response: {
      200: answer({ description: 'A text for people.', content: { 'text/plain': { schema: { type: 'string' } } } }),
      ...problems(),
    },
  };
}

export function openapiSchema(parameters: ParameterSet): FastifySchema {
  return {
    operationId: 'openapi',
    summary: 'This document',
    tags,
    querystring: parameters.schema,
    response: {
      200: answer({ description: 'OpenAPI 3.1.', content: { 'application/json': { schema: { type: 'object' } } } }),
      ...problems(),
    },
  };
}
