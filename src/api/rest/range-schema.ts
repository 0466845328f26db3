import type { FastifySchema } from 'fastify';
import { idempotencyKeyHeader } from './idempotency-key.ts';
import type { ParameterSet } from './parameters.ts';
import {
  answer,
  clusterCodes,
  historyCodes,
  keyValueRef,
  problems,
  stalenessHeader,
  writeCodes,
} from './schema-parts.ts';

const tags = ['Keys and values'];

const page = {
  type: 'object',
  properties: {
    revision: {
      type: 'integer',
      description:
        'What the list shows: all its pages are from this revision. A watch from the one after it misses nothing.',
    },
    kvs: { type: 'array', items: keyValueRef },
    count: { type: 'integer', description: 'Keys in the whole range, whatever the limit.' },
    more: { type: 'boolean', description: 'The list was cut, by its limit or its size.' },
    next: { type: 'string', description: 'To be sent as `after` for the next page. Not on the last one.' },
  },
  required: ['revision', 'kvs', 'count', 'more'],
  additionalProperties: false,
};

export function listSchema(parameters: ParameterSet): FastifySchema {
  return {
    operationId: 'listKeys',
    summary: 'List keys',
    description:
      'A page of keys; with `Accept: application/x-ndjson` the whole range as a stream, a key-value object a line. A ' +
      'stream that fails is cut off: it is whole only if the body ends as HTTP says.',
    tags,
    querystring: parameters.schema,
    response: {
      200: answer({
        description: 'A page, or a stream.',
        headers: stalenessHeader,
        content: {
          'application/json': { schema: page },
          'application/x-ndjson': { schema: { type: 'string', description: 'A KeyValue a line.' } },
        },
      }),
      ...problems('too_large', ...historyCodes, ...clusterCodes),
    },
  };
}

export function deleteRangeSchema(parameters: ParameterSet): FastifySchema {
  return {
    operationId: 'deleteKeys',
    summary: 'Delete keys',
    description:
      'All keys of the range, in one revision. `prefix` or `start` must be there and not empty; `start=%00` is all keys.',
    tags,
    querystring: parameters.schema,
    headers: { type: 'object', properties: idempotencyKeyHeader },
    response: {
      200: answer({
        description: 'The keys are gone; there may have been none.',
        content: {
          'application/json': {
            schema: {
              type: 'object',
              properties: { deleted: { type: 'integer' }, revision: { type: 'integer' } },
              required: ['deleted', 'revision'],
              additionalProperties: false,
            },
            example: { deleted: 3, revision: 7 },
          },
        },
      }),
      ...problems('too_large', ...writeCodes),
    },
  };
}
