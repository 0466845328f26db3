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

const text = { type: 'string' };
const integer = { type: 'integer' };

const clusterVersion = {
  type: 'object',
  properties: {
    version: { ...text, description: 'Of this member.' },
    clusterVersion: {
      ...text,
      description:
        'What all members agreed to understand: the lowest of their versions. It rises by itself when all run newer ' +
        'software, and never falls.',
    },
    protocol: {
      type: 'object',
      description: 'The versions of the protocol between members that this one speaks.',
      properties: { min: integer, max: integer },
      required: ['min', 'max'],
      additionalProperties: false,
    },
    members: {
      type: 'array',
      items: {
        type: 'object',
        properties: { id: text, name: text, version: { ...text, description: 'Empty until it has been started.' } },
        required: ['id', 'name', 'version'],
        additionalProperties: false,
      },
    },
  },
  required: ['version', 'clusterVersion', 'protocol', 'members'],
  additionalProperties: false,
};

export function clusterVersionSchema(parameters: ParameterSet): FastifySchema {
  return {
    operationId: 'clusterVersion',
    summary: 'Versions of all members',
    description: 'As this member knows them.',
    tags,
    querystring: parameters.schema,
    response: {
      200: answer({
        description: 'The versions.',
        content: { 'application/json': { schema: clusterVersion } },
      }),
      ...problems(),
    },
  };
}

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
