import type { FastifySchema } from 'fastify';
import { leaseTtlMaxSeconds } from '../../contract/lease.ts';
import { idempotencyKeyHeader } from './idempotency-key.ts';
import type { ParameterSet } from './parameters.ts';
import { answer, clusterCodes, leaseIdSchema, problems, stalenessHeader, writeCodes } from './schema-parts.ts';

const tags = ['Leases'];

const id = leaseIdSchema;
const count = { type: 'integer', minimum: 0 };

const params = {
  type: 'object',
  properties: { id: { type: 'string', pattern: '^[0-9a-fA-F]{1,16}$', description: 'The lease.' } },
  required: ['id'],
};

function members(properties: object, required: readonly string[]): object {
  return { type: 'object', properties, required, additionalProperties: false };
}

const idAndTtl = members({ id, ttl: { ...count, description: 'Seconds from now until it ends.' } }, ['id', 'ttl']);
const exampleId = '694d81417acd4754';

function json(schema: object, example: object): Record<string, { schema: object; example: object }> {
  return { 'application/json': { schema, example } };
}

export const grantBody = members(
  {
    ttl: {
      type: 'integer',
      minimum: 1,
      maximum: leaseTtlMaxSeconds,
      description: 'Seconds. Short ones are raised to one and a half election timeouts.',
    },
    id: {
      ...id,
      pattern: '^[0-9a-fA-F]{1,16}$',
      description: 'Hexadecimal; the server picks one if it is left out.',
    },
  },
  ['ttl'],
);

export function grantSchema(parameters: ParameterSet): FastifySchema {
  return {
    operationId: 'grantLease',
    summary: 'Grant a lease',
    description:
      'Keys that are put with it are deleted when it ends: when it is revoked, or was not kept alive for `ttl` seconds.',
    tags,
    querystring: parameters.schema,
    headers: { type: 'object', properties: idempotencyKeyHeader },
    response: {
      201: answer({ description: 'The lease is there.', content: json(idAndTtl, { id: exampleId, ttl: 30 }) }),
      ...problems('lease_exists', 'too_large', 'no_space', ...writeCodes),
    },
  };
}

export function keepAliveSchema(parameters: ParameterSet): FastifySchema {
  return {
    operationId: 'keepLeaseAlive',
    summary: 'Keep a lease alive',
    description: 'It has its whole time again. Takes no body.',
    tags,
    params,
    querystring: parameters.schema,
    response: {
      200: answer({ description: 'It lives on.', content: json(idAndTtl, { id: exampleId, ttl: 30 }) }),
      ...problems('lease_not_found', ...clusterCodes),
    },
  };
}

export function timeToLiveSchema(parameters: ParameterSet): FastifySchema {
  const key = { key: { type: 'string' }, keyBase64: { type: 'string', contentEncoding: 'base64' } };
  return {
    operationId: 'getLease',
    summary: 'The time that is left of a lease',
    tags,
    params,
    querystring: parameters.schema,
    response: {
      200: answer({
        description: 'The lease.',
        content: json(
          members(
            {
              id,
              ttl: { ...count, description: 'Whole seconds that are left, rounded up.' },
              grantedTtl: { ...count, description: 'Seconds, as granted.' },
              keys: {
                type: 'array',
                items: { ...members(key, []), minProperties: 1 },
                description: 'The keys that are bound to it, with `keys`; in the order of their bytes.',
              },
            },
            ['id', 'ttl', 'grantedTtl'],
          ),
          { id: exampleId, ttl: 21, grantedTtl: 30, keys: [{ key: 'app/lock' }] },
        ),
      }),
      ...problems('lease_not_found', ...clusterCodes),
    },
  };
}

export function leasesSchema(parameters: ParameterSet): FastifySchema {
  return {
    operationId: 'listLeases',
    summary: 'All leases',
    tags,
    querystring: parameters.schema,
    response: {
      200: answer({
        description: 'The leases, in the order of their ids.',
        headers: stalenessHeader,
        content: json(
          members({ revision: count, leases: { type: 'array', items: members({ id }, ['id']) } }, [
            'revision',
            'leases',
          ]),
          { revision: 7, leases: [{ id: exampleId }] },
        ),
      }),
      ...problems(...clusterCodes),
    },
  };
}

export function revokeSchema(parameters: ParameterSet): FastifySchema {
  return {
    operationId: 'revokeLease',
    summary: 'Revoke a lease',
    description: 'Deletes the lease and all its keys, in one revision.',
    tags,
    params,
    querystring: parameters.schema,
    headers: { type: 'object', properties: idempotencyKeyHeader },
    response: {
      200: answer({
        description: 'The lease is gone, and so are the keys that were bound to it.',
        content: json(members({ deleted: count, revision: count }, ['deleted', 'revision']), {
          deleted: 2,
          revision: 8,
        }),
      }),
      ...problems('lease_not_found', 'too_large', ...writeCodes),
    },
  };
}
