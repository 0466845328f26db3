import type { IncomingHttpHeaders } from 'node:http';
import { BalsaError } from '../../contract/errors.ts';
import type { AnswerHeader, KeyValue, PutAnswer } from '../../contract/kv.ts';
import { formatLeaseId } from '../../contract/lease.ts';
import type { KvService } from '../../replica/service.ts';
import { answerHeaders, jsonType } from './answer-headers.ts';
import type { CompleteAnswer } from './direct-answer.ts';
import { entityTag, isMismatch, isNotModified, writeCondition } from './entity-tag.ts';
import { idempotencyKeyOf } from './idempotency-key.ts';
import { bytesMember, type Encoding, keyValueJson } from './key-value-json.ts';
import { preferredType } from './media-type.ts';
import { parameterSet } from './parameters.ts';
import { problemAnswer } from './problem.ts';
import { Query } from './query.ts';
import { consistencyOf, type TimeoutBounds, timeoutOf } from './read-options.ts';
import { refuseBody } from './request-body.ts';
import { keyOf, splitTarget } from './request-target.ts';

/** A request for one key, whoever has read it. */
export interface KeyRequest {
  /** As it stands in the request line. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  /** @throws BalsaError `too_large`, before all of it has come. */
  readBody(): Buffer | Promise<Buffer>;
}

export const putParameters = parameterSet('lease', 'prevKv', 'encoding', 'timeout');
export const getParameters = parameterSet('revision', 'consistency', 'maxStaleness', 'encoding', 'timeout');
export const deleteParameters = parameterSet('prevKv', 'encoding', 'timeout');

const bytesType = 'application/octet-stream';

/** What `/v1/kv/{key}` means: each method reads the request, and says what to answer. */
export class KeyRequests {
  readonly #kv: KvService;
  readonly #timeouts: TimeoutBounds;

  constructor(kv: KvService, timeouts: TimeoutBounds) {
    this.#kv = kv;
    this.#timeouts = timeouts;
  }

  async put(request: KeyRequest): Promise<CompleteAnswer> {
    const { path, query: queryText } = splitTarget(request.target);
    const key = keyOf(path);
    const query = Query.parse(queryText, putParameters);
    const timeoutMs = timeoutOf(query, this.#timeouts);
    const encoding = query.choice('encoding') ?? 'auto';
    const previous = query.flag('prevKv');
    const lease = query.lease();
    const { headers } = request;
    const condition = writeCondition(headers['if-match'], headers['if-none-match']);
    const idempotencyKey = idempotencyKeyOf(headers);
    const body = request.readBody();
    // A turn of the microtask queue, and all that it keeps alive, would be for nothing.
    const value = body instanceof Promise ? await body : body;
    const unbound = { key, value, condition, previous };
    const put = lease === undefined ? unbound : { ...unbound, lease };
    const answer = await this.#kv.put(put, { timeoutMs, idempotencyKey });
    const answered = answerHeaders(answer.header, jsonType);
    answered['etag'] = entityTag(answer.modRevision);
    return { status: answer.created ? 201 : 200, headers: answered, body: putJson(key, answer, encoding) };
  }

  async get(request: KeyRequest): Promise<CompleteAnswer> {
    const { path, query: queryText } = splitTarget(request.target);
    const key = keyOf(path);
    const query = Query.parse(queryText, getParameters);
    const timeoutMs = timeoutOf(query, this.#timeouts);
    const encoding = query.choice('encoding') ?? 'auto';
    const { headers } = request;
    const revision = query.count('revision');
    const consistency = consistencyOf(query);
    const { header, kv: found } = await this.#kv.get(key, { timeoutMs, consistency, revision });
    if (headers['if-match'] !== undefined && isMismatch(headers['if-match'], found?.modRevision)) {
      return problemAnswer(mismatch(found), header);
    }
    if (found === undefined) return problemAnswer(keyNotFound, header);
    const ifNoneMatch = headers['if-none-match'];
    if (ifNoneMatch !== undefined && isNotModified(ifNoneMatch, found.modRevision)) {
      return { status: 304, headers: keyValueHeaders(header, found, bytesType), body: '' };
    }
    const type = preferredType(headers.accept, bytesType, 'application/json');
    const body = type === bytesType ? found.value : `${keyValueJson(found, { encoding, keysOnly: false })}\n`;
    return { status: 200, headers: keyValueHeaders(header, found, type === bytesType ? bytesType : jsonType), body };
  }

  async delete(request: KeyRequest): Promise<CompleteAnswer> {
    const { path, query: queryText } = splitTarget(request.target);
    const key = keyOf(path);
    const query = Query.parse(queryText, deleteParameters);
    const timeoutMs = timeoutOf(query, this.#timeouts);
    const encoding = query.choice('encoding') ?? 'auto';
    const previous = query.flag('prevKv');
    const { headers } = request;
    const condition = writeCondition(headers['if-match'], headers['if-none-match']);
    const idempotencyKey = idempotencyKeyOf(headers);
    refuseBody(request);
    const answer = await this.#kv.delete({ key, condition, previous }, { timeoutMs, idempotencyKey });
    if (answer.deleted === 0) return problemAnswer(keyNotFound, answer.header);
    const prevKv = previousMember(answer.previous, encoding);
    const body = `{"deleted":${answer.deleted},"revision":${answer.header.revision}${prevKv}}\n`;
    return { status: 200, headers: answerHeaders(answer.header, jsonType), body };
  }
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

/** One for all: it is told and never thrown, and to look for the stack of a new one takes as long as the rest of a read. */
const keyNotFound = new BalsaError(
  'key_not_found',
  'There is no such key. PUT it, or list what there is with GET /v1/kv?prefix=.',
);

function mismatch(found: KeyValue | undefined): BalsaError {
  const present = found === undefined ? 'there is no such key' : `its mod revision is ${found.modRevision}`;
  return new BalsaError('precondition_failed', `If-Match does not hold: ${present}.`, {
    extras: { modRevision: found?.modRevision ?? null },
  });
}
