import type { FastifySchema } from 'fastify';
import { idempotencyKeyHeader } from './idempotency-key.ts';
import type { ParameterSet } from './parameters.ts';
import {
  answer,
  clusterCodes,
  etagHeader,
  historyCodes,
  keyValueRef,
  leaseIdSchema,
  problems,
  stalenessHeader,
  writeCodes,
} from './schema-parts.ts';

const tags = ['Keys and values'];

const params = {
  type: 'object',
  properties: {
    key: {
      type: 'string',
      minLength: 1,
      description:
        'The rest of the path, slashes included, percent-decoded to bytes: any bytes can be a key. At most 8 KiB.',
      examples: ['app/greeting'],
    },
  },
  required: ['key'],
};

const writeHeaders = {
  type: 'object',
  properties: {
    'If-Match': {
      type: 'string',
      description: 'The mod revision that the key must be at, in quotation marks, or a list of them; *: it must exist.',
      examples: ['"5"'],
    },
    'If-None-Match': { type: 'string', enum: ['*'], description: '*: the key must not exist.' },
    ...idempotencyKeyHeader,
  },
};

const readHeaders = {
  type: 'object',
  properties: {
    'If-Match': {
      type: 'string',
      description: '412 unless the key is at one of these revisions; *: unless it exists.',
    },
    'If-None-Match': { type: 'string', description: '304 if the key is at one of these revisions.', examples: ['"5"'] },
  },
};

export const putBody = {
  description: 'The value: any bytes of any content type, which is not kept. It may be empty.',
  required: false,
  content: { '*/*': { schema: { type: 'string', format: 'binary' } } },
};

const putAnswer = {
  type: 'object',
  properties: {
    key: { type: 'string' },
    keyBase64: { type: 'string', description: 'In place of `key`, where it is not valid UTF-8.' },
    revision: { type: 'integer', description: 'The mod revision of the key: the one this put made.' },
    createRevision: { type: 'integer' },
    version: { type: 'integer' },
    prevKv: keyValueRef,
  },
  required: ['revision', 'createRevision', 'version'],
  additionalProperties: false,
};

export function putSchema(parameters: ParameterSet): FastifySchema {
  const content = (example: object) => ({ 'application/json': { schema: putAnswer, example } });
  return {
    operationId: 'putKey',
    summary: 'Put a value',
    tags,
    params,
    querystring: parameters.schema,
    headers: writeHeaders,
    response: {
      200: answer({
        description: 'The key has a new value.',
        headers: etagHeader,
        content: content({ key: 'app/greeting', revision: 5, createRevision: 2, version: 3 }),
      }),
      201: answer({
        description: 'The key is new.',
        headers: etagHeader,
        content: content({ key: 'app/greeting', revision: 2, createRevision: 2, version: 1 }),
      }),
      ...problems('lease_not_found', 'precondition_failed', 'too_large', 'no_space', ...writeCodes),
    },
  };
}

const keyValueHeaders = {
  ...etagHeader,
  ...stalenessHeader,
  'Balsa-Create-Revision': { type: 'integer', description: 'The revision that created the key.' },
  'Balsa-Version': { type: 'integer', description: '1 when created, plus one with every put.' },
  'Balsa-Lease': { ...leaseIdSchema, description: 'The lease that the key is bound to, if there is one.' },
};

export function getSchema(parameters: ParameterSet): FastifySchema {
  return {
    operationId: 'getKey',
    summary: 'Get a value',
    description: 'The value as it is; with `Accept: application/json` an object with its key and revisions.',
    tags,
    params,
    querystring: parameters.schema,
    headers: readHeaders,
    response: {
      200: answer({
        description: 'The value.',
        headers: keyValueHeaders,
        content: {
          'application/octet-stream': { schema: { type: 'string', format: 'binary' } },
          'application/json': { schema: keyValueRef },
        },
      }),
      304: answer({ description: 'The key is at a revision of If-None-Match.', headers: keyValueHeaders }),
      ...problems('key_not_found', 'precondition_failed', 'too_large', ...historyCodes, ...clusterCodes),
    },
  };
}

export function deleteSchema(parameters: ParameterSet): FastifySchema {
  return {
    operationId: 'deleteKey',
    summary: 'Delete a key',
    tags,
    params,
    querystring: parameters.schema,
    headers: writeHeaders,
    response: {
      200: answer({
        description: 'The key is gone.',
        content: {
          'application/json': {
            schema: {
              type: 'object',
              properties: {
                deleted: { type: 'integer', const: 1 },
                revision: { type: 'integer' },
                prevKv: keyValueRef,
              },
              required: ['deleted', 'revision'],
              additionalProperties: false,
            },
            example: { deleted: 1, revision: 6 },
          },
        },
      }),
      ...problems('key_not_found', 'precondition_failed', 'too_large', ...writeCodes),
    },
  };
}
