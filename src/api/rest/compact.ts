import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Revision } from '../../contract/kv.ts';
import type { KvService } from '../../replica/service.ts';
import { answerHeaders, jsonType } from './answer-headers.ts';
import { compactBody, compactSchema } from './compact-schema.ts';
import { idempotencyKeyOf } from './idempotency-key.ts';
import { readJson, smallBodyBytesMax } from './json-body.ts';
import { anyRevision, integerIn, objectAt, placeIn, refusedAt, wholeBody } from './json-members.ts';
import { parameterSet } from './parameters.ts';
import { Query } from './query.ts';
import { type TimeoutBounds, timeoutOf } from './read-options.ts';
import { splitTarget } from './request-target.ts';

export interface CompactRoutesOptions extends TimeoutBounds {
  readonly kv: KvService;
}

const parameters = parameterSet('timeout');

const members: ReadonlySet<string> = new Set(['revision']);

/** Forgets the past: POST of `/v1/compact`. */
export async function compactRoutes(app: FastifyInstance, options: CompactRoutesOptions): Promise<void> {
  async function compact(request: FastifyRequest, reply: FastifyReply): Promise<string> {
    const query = Query.parse(splitTarget(request.originalUrl).query, parameters);
    const timeoutMs = timeoutOf(query, options);
    const idempotencyKey = idempotencyKeyOf(request.raw.headers);
    const revision = revisionOf(await readJson(request.raw, smallBodyBytesMax));
    const { header } = await options.kv.compact(revision, { timeoutMs, idempotencyKey });
    reply.headers(answerHeaders(header, jsonType));
    return `{"revision":${header.revision}}\n`;
  }

  app.post('/v1/compact', { schema: compactSchema(parameters), config: { jsonBody: compactBody } }, compact);
}

function revisionOf(body: unknown): Revision {
  const revision = integerIn(objectAt(body, wholeBody, members), 'revision', wholeBody, anyRevision);
  if (revision !== undefined) return revision;
  throw refusedAt(placeIn(wholeBody, 'revision'), 'is missing; it is the oldest that can still be read afterwards');
}
