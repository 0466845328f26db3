import type { FastifySchema } from 'fastify';
import { txnLimits } from '../../contract/txn.ts';
import { idempotencyKeyHeader } from './idempotency-key.ts';
import type { ParameterSet } from './parameters.ts';
import { answer, historyCodes, keyValueRef, leaseIdSchema, problems, writeCodes } from './schema-parts.ts';

const text = { type: 'string' };
const count = { type: 'integer', minimum: 0 };
const revision = { type: 'integer', minimum: 1 };
const flag = { type: 'boolean', default: false };
const base64 = { type: 'string', contentEncoding: 'base64' };
const leaseId = { ...leaseIdSchema, pattern: '^[0-9a-fA-F]{1,16}$' };

const keys = {
  key: text,
  keyBase64: base64,
  prefix: text,
  prefixBase64: base64,
  start: text,
  startBase64: base64,
  end: text,
  endBase64: base64,
};

function members(properties: object, required: readonly string[] = []): object {
  return { type: 'object', properties, required, additionalProperties: false };
}

function comparison(operand: object): object {
  return { ...members({ '=': operand, '!=': operand, '<': operand, '>': operand }), minProperties: 1 };
}

function only(name: string, schema: object): object {
  return members({ [name]: schema }, [name]);
}

const compare = {
  ...members({
    ...keys,
    exists: { type: 'boolean', description: 'Whether there is the key.' },
    value: comparison(text),
    valueBase64: comparison(base64),
    version: comparison(count),
    createRevision: comparison(count),
    modRevision: comparison(count),
    lease: comparison({ ...leaseId, description: 'Hexadecimal; 0: none.' }),
  }),
  description:
    'True if all that it says is true for every key it names. What is absent has the version and revisions 0.',
};

const put = members({
  key: text,
  keyBase64: base64,
  value: text,
  valueBase64: base64,
  lease: leaseId,
  prevKv: { ...flag, description: 'Answer also with what was there before.' },
  ignoreValue: { ...flag, description: 'The key keeps its value.' },
  ignoreLease: { ...flag, description: 'The key stays bound to its lease.' },
});

const get = members({
  ...keys,
  revision,
  minModRevision: revision,
  maxModRevision: revision,
  minCreateRevision: revision,
  maxCreateRevision: revision,
  limit: { type: 'integer', minimum: 1, maximum: 10_000, default: 1000 },
  keysOnly: flag,
  countOnly: flag,
  sort: { type: 'string', enum: ['key', 'modRevision', 'createRevision', 'version', 'value'], default: 'key' },
  order: { type: 'string', enum: ['asc', 'desc'], default: 'asc' },
});

const remove = members({ ...keys, prevKv: flag });

const operations = {
  type: 'array',
  maxItems: txnLimits.operationsMax,
  items: {
    oneOf: [only('put', put), only('get', get), only('delete', remove), only('txn', { $ref: 'Transaction#' })],
  },
};

const results = { type: 'array', items: { $ref: 'TransactionResult#' } };
const keyValues = { type: 'array', items: keyValueRef };

/** Named in the document because they hold themselves. */
export const txnSharedSchemas = [
  {
    $id: 'Transaction',
    ...members({
      if: { type: 'array', items: compare, description: 'All must be true for `then` to be done, else `else` is.' },
      // biome-ignore lint/suspicious/noThenProperty: that is its name in the API, and nobody awaits a schema
      then: operations,
      else: operations,
    }),
  },
  {
    $id: 'TransactionResult',
    oneOf: [
      only(
        'put',
        members({ created: { type: 'boolean' }, createRevision: revision, version: revision, prevKv: keyValueRef }, [
          'created',
          'createRevision',
          'version',
        ]),
      ),
      only('get', members({ kvs: keyValues, count, more: { type: 'boolean' } }, ['kvs', 'count', 'more'])),
      only('delete', members({ deleted: count, prevKvs: keyValues }, ['deleted'])),
      only('txn', members({ succeeded: { type: 'boolean' }, results }, ['succeeded', 'results'])),
    ],
  },
] as const;

export const txnBody = { $ref: 'Transaction#' };

export function txnSchema(parameters: ParameterSet): FastifySchema {
  return {
    operationId: 'txn',
    summary: 'Several operations in one revision',
    description:
      'All or nothing. Each operation sees what those before it have done. Keys and values are text, or base64 in the ' +
      `member whose name ends in Base64. At most ${txnLimits.operationsMax} comparisons and as many operations; ` +
      `transactions hold each other ${txnLimits.depthMax} deep.`,
    tags: ['Transactions'],
    querystring: parameters.schema,
    headers: { type: 'object', properties: idempotencyKeyHeader },
    response: {
      200: answer({
        description: 'It is done. `succeeded` tells which branch; the results are in the order of its operations.',
        content: {
          'application/json': {
            schema: members({ succeeded: { type: 'boolean' }, revision, results }, [
              'succeeded',
              'revision',
              'results',
            ]),
            example: {
              succeeded: true,
              revision: 7,
              results: [{ put: { created: true, createRevision: 7, version: 1 } }, { delete: { deleted: 2 } }],
            },
          },
        },
      }),
      ...problems('key_not_found', 'lease_not_found', 'too_large', 'no_space', ...historyCodes, ...writeCodes),
    },
  };
}
