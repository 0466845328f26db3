import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { KvService } from '../../replica/service.ts';
import { answerHeaders, jsonType } from './answer-headers.ts';
import { idempotencyKeyOf } from './idempotency-key.ts';
import { readJson } from './json-body.ts';
import { parameterSet } from './parameters.ts';
import { Query } from './query.ts';
import { type TimeoutBounds, timeoutOf } from './read-options.ts';
import { splitTarget } from './request-target.ts';
import { txnJson } from './txn-json.ts';
import { parseTxn } from './txn-request.ts';
import { txnBody, txnSchema } from './txn-schema.ts';

export interface TxnRoutesOptions extends TimeoutBounds {
  readonly kv: KvService;
  readonly txnBytesMax: number;
}

const parameters = parameterSet('encoding', 'timeout');

/**
 * Bytes of a body: a value of the largest size as base64, or 128 keys of the largest size, and what stands around them.
 */
export function txnBytesMaxFor(valueBytesMax: number): number {
  return Math.max(4 * 1024 * 1024, 2 * valueBytesMax);
}

/** Several operations in one revision: POST of `/v1/txn`. */
export async function txnRoutes(app: FastifyInstance, options: TxnRoutesOptions): Promise<void> {
  const { kv, txnBytesMax } = options;

  async function txn(request: FastifyRequest, reply: FastifyReply): Promise<string> {
    const query = Query.parse(splitTarget(request.originalUrl).query, parameters);
    const timeoutMs = timeoutOf(query, options);
    const encoding = query.choice('encoding') ?? 'auto';
    const idempotencyKey = idempotencyKeyOf(request.raw.headers);
    const asked = parseTxn(await readJson(request.raw, txnBytesMax));
    const answer = await kv.txn(asked, { timeoutMs, idempotencyKey });
    reply.headers(answerHeaders(answer.header, jsonType));
    return `${txnJson(asked, answer, encoding)}\n`;
  }

  app.post('/v1/txn', { schema: txnSchema(parameters), config: { jsonBody: txnBody } }, txn);
}
