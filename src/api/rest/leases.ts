import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { BalsaError } from '../../contract/errors.ts';
import {
  formatLeaseId,
  type LeaseGrantRequest,
  type LeaseId,
  leaseTtlMaxSeconds,
  parseLeaseId,
} from '../../contract/lease.ts';
import type { LeaseService } from '../../replica/service.ts';
import { answerHeaders, jsonType } from './answer-headers.ts';
import { closeSignal } from './close-signal.ts';
import { refuseCrossOrigin } from './cross-origin.ts';
import { idempotencyKeyOf } from './idempotency-key.ts';
import { readJson, smallBodyBytesMax } from './json-body.ts';
import { integerIn, leaseIdIn, objectAt, placeIn, refusedAt, wholeBody } from './json-members.ts';
import { bytesMember, type Encoding } from './key-value-json.ts';
import {
  grantBody,
  grantSchema,
  keepAliveSchema,
  leasesSchema,
  revokeSchema,
  timeToLiveSchema,
} from './leases-schema.ts';
import { parameterSet } from './parameters.ts';
import { Query } from './query.ts';
import { consistencyOf, type TimeoutBounds, timeoutOf } from './read-options.ts';
import { refuseBody } from './request-body.ts';
import { splitTarget } from './request-target.ts';

export interface LeaseRoutesOptions extends TimeoutBounds {
  readonly leases: LeaseService;
}

const timeoutOnly = parameterSet('timeout');
const timeToLiveParameters = parameterSet('keys', 'encoding', 'timeout');
const listParameters = parameterSet('consistency', 'maxStaleness', 'timeout');

const grantMembers: ReadonlySet<string> = new Set(['ttl', 'id']);

/** Keys that end by themselves: `/v1/leases`. */
export async function leaseRoutes(app: FastifyInstance, options: LeaseRoutesOptions): Promise<void> {
  const { leases } = options;

  async function grant(request: FastifyRequest, reply: FastifyReply): Promise<string> {
    const query = Query.parse(splitTarget(request.originalUrl).query, timeoutOnly);
    const timeoutMs = timeoutOf(query, options);
    const idempotencyKey = idempotencyKeyOf(request.raw.headers);
    const asked = grantRequest(await readJson(request.raw, smallBodyBytesMax));
    const { header, id, ttl } = await leases.grant(asked, { timeoutMs, idempotencyKey });
    reply.code(201).headers(answerHeaders(header, jsonType));
    return `{"id":"${formatLeaseId(id)}","ttl":${ttl}}\n`;
  }

  async function keepAlive(request: FastifyRequest, reply: FastifyReply): Promise<string> {
    const query = Query.parse(splitTarget(request.originalUrl).query, timeoutOnly);
    const asked = leaseIdOf(request);
    refuseCrossOrigin(request.raw.headers);
    refuseBody(request.raw);
    const { header, id, ttl } = await leases.keepAlive(asked, { timeoutMs: timeoutOf(query, options) });
    reply.headers(answerHeaders(header, jsonType));
    return `{"id":"${formatLeaseId(id)}","ttl":${ttl}}\n`;
  }

  async function timeToLive(request: FastifyRequest, reply: FastifyReply): Promise<string> {
    const query = Query.parse(splitTarget(request.originalUrl).query, timeToLiveParameters);
    const withKeys = query.flag('keys');
    const encoding = query.choice('encoding') ?? 'auto';
    const { header, id, ttl, grantedTtl, keys } = await leases.timeToLive(leaseIdOf(request), {
      keys: withKeys,
      timeoutMs: timeoutOf(query, options),
      signal: closeSignal(reply.raw),
    });
    reply.headers(answerHeaders(header, jsonType));
    const bound = withKeys ? `,"keys":${keysJson(keys, encoding)}` : '';
    return `{"id":"${formatLeaseId(id)}","ttl":${ttl},"grantedTtl":${grantedTtl}${bound}}\n`;
  }

  async function list(request: FastifyRequest, reply: FastifyReply): Promise<string> {
    const query = Query.parse(splitTarget(request.originalUrl).query, listParameters);
    const { header, ids } = await leases.list({
      timeoutMs: timeoutOf(query, options),
      consistency: consistencyOf(query),
      signal: closeSignal(reply.raw),
    });
    reply.headers(answerHeaders(header, jsonType));
    return `{"revision":${header.revision},"leases":[${ids.map((id) => `{"id":"${formatLeaseId(id)}"}`).join(',')}]}\n`;
  }

  async function revoke(request: FastifyRequest, reply: FastifyReply): Promise<string> {
    const query = Query.parse(splitTarget(request.originalUrl).query, timeoutOnly);
    const idempotencyKey = idempotencyKeyOf(request.raw.headers);
    const asked = leaseIdOf(request);
    refuseBody(request.raw);
    const { header, deleted } = await leases.revoke(asked, { timeoutMs: timeoutOf(query, options), idempotencyKey });
    reply.headers(answerHeaders(header, jsonType));
    return `{"deleted":${deleted},"revision":${header.revision}}\n`;
  }

  app.post('/v1/leases', { schema: grantSchema(timeoutOnly), config: { jsonBody: grantBody } }, grant);
  app.get('/v1/leases', { schema: leasesSchema(listParameters) }, list);
  app.post('/v1/leases/:id/keepalive', { schema: keepAliveSchema(timeoutOnly) }, keepAlive);
  app.get('/v1/leases/:id', { schema: timeToLiveSchema(timeToLiveParameters) }, timeToLive);
  app.delete('/v1/leases/:id', { schema: revokeSchema(timeoutOnly) }, revoke);
}

function grantRequest(body: unknown): LeaseGrantRequest {
  const object = objectAt(body, wholeBody, grantMembers);
  const ttl = integerIn(object, 'ttl', wholeBody, { minimum: 1, maximum: leaseTtlMaxSeconds });
  if (ttl === undefined) throw refusedAt(placeIn(wholeBody, 'ttl'), 'is missing; it is a number of seconds');
  return { id: leaseIdIn(object, 'id', wholeBody), ttl };
}

function leaseIdOf(request: FastifyRequest): LeaseId {
  const { id: text } = request.params as { readonly id: string };
  const id = parseLeaseId(text);
  if (id !== undefined) return id;
  throw new BalsaError('bad_request', 'The id of a lease is 1 to 16 hexadecimal digits, and not 0.', {
    extras: { parameter: 'id' },
  });
}

/** Objects, because a key that is no text has another name. */
function keysJson(keys: readonly Uint8Array[], encoding: Encoding): string {
  return `[${keys.map((key) => `{${bytesMember('key', key, encoding)}}`).join(',')}]`;
}
