import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { EncodedLists } from '../../base/encoded-lists.ts';
import { BalsaError } from '../../contract/errors.ts';
import { limits, type RevisionBounds } from '../../contract/kv.ts';
import type { KvService, RangePage } from '../../replica/service.ts';
import { answerHeaders, jsonType } from './answer-headers.ts';
import { closeSignal } from './close-signal.ts';
import { encodeCursor, type ListMark, type ListShape, markOf, parseCursor } from './cursor.ts';
import { idempotencyKeyOf } from './idempotency-key.ts';
import { rangeOf, rangeToDelete } from './key-range-parameters.ts';
import { type KeyValueFormat, keyValueJson } from './key-value-json.ts';
import { preferredType } from './media-type.ts';
import { ndjsonLines } from './ndjson.ts';
import { type ParameterName, parameterSet } from './parameters.ts';
import { Query, refused } from './query.ts';
import { deleteRangeSchema, listSchema } from './range-schema.ts';
import { consistencyOf, type TimeoutBounds, timeoutOf } from './read-options.ts';
import { refuseBody } from './request-body.ts';
import { splitTarget } from './request-target.ts';

export interface RangeRoutesOptions extends TimeoutBounds {
  readonly kv: KvService;
  /** A stream that has begun can only be cut off; this is where the reason goes. */
  readonly reportFailure: (error: BalsaError, request: { readonly method: string; readonly url: string }) => void;
}

const boundNames = ['minModRevision', 'maxModRevision', 'minCreateRevision', 'maxCreateRevision'] as const;

const listParameters = parameterSet(
  'prefix',
  'start',
  'end',
  'limit',
  'after',
  'revision',
  ...boundNames,
  'keysOnly',
  'countOnly',
  'sort',
  'order',
  'encoding',
  'consistency',
  'maxStaleness',
  'timeout',
);
const deleteParameters = parameterSet('prefix', 'start', 'end', 'timeout');

const ndjsonType = 'application/x-ndjson';

/** A stream is the whole range in the order of its keys; these would mean something else. */
const pageOnly: readonly ParameterName[] = ['limit', 'after', ...boundNames, 'countOnly', 'sort', 'order'];

/** Many keys: GET and DELETE of `/v1/kv`. */
export async function rangeRoutes(app: FastifyInstance, options: RangeRoutesOptions): Promise<void> {
  const { kv, reportFailure } = options;

  async function list(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    const query = Query.parse(splitTarget(request.originalUrl).query, listParameters);
    const type = preferredType(request.headers.accept, 'application/json', ndjsonType);
    if (type === ndjsonType && request.method === 'GET') return stream(query, request, reply);
    return query.has('after') ? nextPage(query, reply) : firstPage(query, reply);
  }

  async function firstPage(query: Query, reply: FastifyReply): Promise<Buffer> {
    const shape = listShape(query);
    const { range, revision, keysOnly, countOnly, sort, order } = shape;
    // Without any the count is that of the page, where the page is the whole.
    const bounds = Object.keys(shape.bounds).length === 0 ? {} : { bounds: shape.bounds };
    const limit = query.count('limit') ?? limits.rangeLimitDefault;
    const page = await kv.range(
      { range, ...(revision !== undefined && { revision }), ...bounds, limit, keysOnly, countOnly, sort, order },
      { timeoutMs: timeoutOf(query, options), consistency: consistencyOf(query), signal: closeSignal(reply.raw) },
    );
    return sendPage(reply, page, markOf(shape));
  }

  async function nextPage(query: Query, reply: FastifyReply): Promise<Buffer> {
    // The page is read as the first one was; what is repeated of that is checked like anything else a client sends.
    consistencyOf(query);
    const { next, mark } = parseCursor(query.text('after') ?? '', query, listShape(query));
    const page = await kv.nextPage(next, {
      limit: query.count('limit') ?? limits.rangeLimitDefault,
      timeoutMs: timeoutOf(query, options),
      signal: closeSignal(reply.raw),
    });
    return sendPage(reply, page, mark);
  }

  async function stream(query: Query, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const [misplaced] = query.given(pageOnly);
    if (misplaced !== undefined) {
      throw refused(misplaced, `cannot be used with Accept: ${ndjsonType}, which sends the whole range by key`);
    }
    const format: KeyValueFormat = { keysOnly: query.flag('keysOnly'), encoding: query.choice('encoding') ?? 'auto' };
    const { header, pages } = await kv.stream(rangeOf(query), {
      keysOnly: format.keysOnly,
      revision: query.count('revision'),
      timeoutMs: timeoutOf(query, options),
      consistency: consistencyOf(query),
      signal: closeSignal(reply.raw),
    });
    const onError = (reason: unknown): void => {
      reportFailure(BalsaError.from(reason), { method: request.method, url: request.originalUrl });
    };
    const lines = ndjsonLines(pages, format, onError);
    // One page waits here and one in the socket, however slowly the client reads.
    const body = Readable.from(lines, { objectMode: true, highWaterMark: 1 });
    return reply.headers(listHeaders(answerHeaders(header, ndjsonType))).send(body);
  }

  async function deleteRange(request: FastifyRequest, reply: FastifyReply): Promise<string> {
    const query = Query.parse(splitTarget(request.originalUrl).query, deleteParameters);
    const writeOptions = {
      timeoutMs: timeoutOf(query, options),
      idempotencyKey: idempotencyKeyOf(request.raw.headers),
    };
    refuseBody(request.raw);
    const answer = await kv.deleteRange({ range: rangeToDelete(query) }, writeOptions);
    reply.headers(answerHeaders(answer.header, jsonType));
    return `{"deleted":${answer.deleted},"revision":${answer.header.revision}}\n`;
  }

  app.get('/v1/kv', { schema: listSchema(listParameters) }, list);
  app.delete('/v1/kv', { schema: deleteRangeSchema(deleteParameters) }, deleteRange);
}

function listShape(query: Query): ListShape {
  return {
    keysOnly: query.flag('keysOnly'),
    countOnly: query.flag('countOnly'),
    sort: query.choice('sort') ?? 'key',
    order: query.choice('order') ?? 'asc',
    encoding: query.choice('encoding') ?? 'auto',
    range: rangeOf(query),
    revision: query.count('revision'),
    bounds: boundsOf(query),
  };
}

function boundsOf(query: Query): RevisionBounds {
  const bounds: { -readonly [Name in keyof RevisionBounds]: RevisionBounds[Name] } = {};
  for (const name of boundNames) {
    const revision = query.count(name);
    if (revision !== undefined) bounds[name] = revision;
  }
  return bounds;
}

function sendPage(reply: FastifyReply, page: RangePage, mark: ListMark): Buffer {
  reply.headers(listHeaders(answerHeaders(page.header, jsonType)));
  const kvs = encodedLists.bytes(page.kvs, `${mark.encoding} ${mark.keysOnly}`, () =>
    Buffer.from(page.kvs.map((kv) => keyValueJson(kv, mark)).join(',')),
  );
  const next = page.next === undefined ? '' : `,"next":${JSON.stringify(encodeCursor(page.next, mark))}`;
  const head = Buffer.from(`{"revision":${page.readRevision},"kvs":[`);
  return Buffer.concat([head, kvs, Buffer.from(`],"count":${page.count},"more":${page.more}${next}}\n`)]);
}

/** Pages that the store keeps come again. */
const encodedLists = new EncodedLists();

function listHeaders(headers: Record<string, string>): Record<string, string> {
  headers['vary'] = 'accept';
  headers['cache-control'] = 'no-cache';
  headers['x-content-type-options'] = 'nosniff';
  return headers;
}
