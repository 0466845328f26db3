import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { BalsaError } from '../../contract/errors.ts';
import type { AnswerHeader, KeyValue, PutAnswer } from '../../contract/kv.ts';
import { formatLeaseId } from '../../contract/lease.ts';
import type { KvService } from '../../replica/service.ts';
import { answerHeaders, jsonType } from './answer-headers.ts';
import { answerDirectly } from './direct-answer.ts';
import { entityTag, isMismatch, isNotModified, writeCondition } from './entity-tag.ts';
import { idempotencyKeyOf } from './idempotency-key.ts';
import { bytesMember, type Encoding, keyValueJson } from './key-value-json.ts';
import { deleteSchema, getSchema, putSchema } from './kv-schema.ts';
import { preferredType } from './media-type.ts';
import { parameterSet } from './parameters.ts';
import { sendProblem } from './problem.ts';
import { Query } from './query.ts';
import { consistencyOf, type TimeoutBounds, timeoutOf } from './read-options.ts';
import { readBody, refuseBody } from './request-body.ts';
import { keyOf, keyRoute, splitTarget } from './request-target.ts';

export interface KvRoutesOptions extends TimeoutBounds {
  readonly kv: KvService;
  readonly valueBytesMax: number;
}

const putParameters = parameterSet('lease', 'prevKv', 'encoding', 'timeout');
const getParameters = parameterSet('revision', 'consistency', 'maxStaleness', 'encoding', 'timeout');
const deleteParameters = parameterSet('prevKv', 'encoding', 'timeout');

const bytesType = 'application/octet-stream';

/** One key: PUT, GET, HEAD and DELETE of `/v1/kv/{key}`. */
export async function kvRoutes(app: FastifyInstance, options: KvRoutesOptions): Promise<void> {
  const { kv, valueBytesMax } = options;

  async function put(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { path, query: queryText } = splitTarget(request.originalUrl);
    const key = keyOf(path);
    const query = Query.parse(queryText, putParameters);
    const timeoutMs = timeoutOf(query, options);
    const encoding = query.choice('encoding') ?? 'auto';
    const previous = query.flag('prevKv');
    const lease = query.lease();
    const headers = request.raw.headers;
    const condition = writeCondition(headers['if-match'], headers['if-none-match']);
    const idempotencyKey = idempotencyKeyOf(headers);
    const value = await readBody(request.raw, valueBytesMax);
    const unbound = { key, value, condition, previous };
    const answer = await kv.put(lease === undefined ? unbound : { ...unbound, lease }, { timeoutMs, idempotencyKey });
    const answered = answerHeaders(answer.header, jsonType);
    answered['etag'] = entityTag(answer.modRevision);
    answerDirectly(reply, answer.created ? 201 : 200, answered, putJson(key, answer, encoding));
  }

  async function get(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    const { path, query: queryText } = splitTarget(request.originalUrl);
    const key = keyOf(path);
    const query = Query.parse(queryText, getParameters);
    const timeoutMs = timeoutOf(query, options);
    const encoding = query.choice('encoding') ?? 'auto';
    const headers = request.raw.headers;
    const revision = query.count('revision');
    const { header, kv: found } = await kv.get(key, { timeoutMs, consistency: consistencyOf(query), revision });
    if (headers['if-match'] !== undefined && isMismatch(headers['if-match'], found?.modRevision)) {
      return sendProblem(reply, mismatch(found), header);
    }
    if (found === undefined) return sendProblem(reply, keyNotFound(), header);
    const ifNoneMatch = headers['if-none-match'];
    if (ifNoneMatch !== undefined && isNotModified(ifNoneMatch, found.modRevision)) {
      return reply
        .code(304)
        .headers(keyValueHeaders(header, found, bytesType))
        .send();
    }
    const type = preferredType(headers.accept, bytesType, 'application/json');
    const body = type === bytesType ? found.value : `${keyValueJson(found, { encoding, keysOnly: false })}\n`;
    answerDirectly(reply, 200, keyValueHeaders(header, found, type === bytesType ? bytesType : jsonType), body);
    return undefined;
  }

  async function remove(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    const { path, query: queryText } = splitTarget(request.originalUrl);
    const key = keyOf(path);
    const query = Query.parse(queryText, deleteParameters);
    const timeoutMs = timeoutOf(query, options);
    const encoding = query.choice('encoding') ?? 'auto';
    const previous = query.flag('prevKv');
    const headers = request.raw.headers;
    const condition = writeCondition(headers['if-match'], headers['if-none-match']);
    const idempotencyKey = idempotencyKeyOf(headers);
    refuseBody(request.raw);
    const answer = await kv.delete({ key, condition, previous }, { timeoutMs, idempotencyKey });
    if (answer.deleted === 0) return sendProblem(reply, keyNotFound(), answer.header);
    reply.headers(answerHeaders(answer.header, jsonType));
    const prevKv = previousMember(answer.previous, encoding);
    return `{"deleted":${answer.deleted},"revision":${answer.header.revision}${prevKv}}\n`;
  }

  app.put(keyRoute, { schema: putSchema(putParameters) }, put);
  app.get(keyRoute, { schema: getSchema(getParameters) }, get);
  app.delete(keyRoute, { schema: deleteSchema(deleteParameters) }, remove);
}

function putJson(key: Buffer, answer: PutAnswer, encoding: Encoding): string {
  return (
    `{${bytesMember('key', key, encoding)},"revision":${answer.modRevision},"createRevision":${answer.createRevision}` +
    `,"version":${answer.version}${previousMember(answer.previous, encoding)}}\n`
  );
}

function previousMember(previous: KeyValue | undefined, encoding: Encoding): string {
  return previous === undefined ? '' : `,"prevKv":${keyValueJson(previous, { encoding, keysOnly: false })}`;
}

function keyValueHeaders(header: AnswerHeader, found: KeyValue, contentType: string): Record<string, string> {
  const headers = answerHeaders(header, contentType);
  headers['etag'] = entityTag(found.modRevision);
  headers['balsa-create-revision'] = `${found.createRevision}`;
  headers['balsa-version'] = `${found.version}`;
  if (found.lease !== undefined) headers['balsa-lease'] = formatLeaseId(found.lease);
  headers['vary'] = 'accept';
  // Caches may keep it and have to ask each time; else they would break every promise of consistency.
  headers['cache-control'] = 'no-cache';
  // Anybody may store a page with a script in it; no browser may take it for one of ours.
  headers['x-content-type-options'] = 'nosniff';
  return headers;
}

function keyNotFound(): BalsaError {
  return new BalsaError(
    'key_not_found',
    'There is no such key. PUT it, or list what there is with GET /v1/kv?prefix=.',
  );
}

function mismatch(found: KeyValue | undefined): BalsaError {
  const present = found === undefined ? 'there is no such key' : `its mod revision is ${found.modRevision}`;
  return new BalsaError('precondition_failed', `If-Match does not hold: ${present}.`, {
    extras: { modRevision: found?.modRevision ?? null },
  });
}
