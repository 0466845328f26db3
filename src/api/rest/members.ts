import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { BalsaError } from '../../contract/errors.ts';
import {
  type MemberAddRequest,
  type MemberDescription,
  type MemberIdText,
  type MembershipAnswer,
  memberLimits,
  parseMemberId,
} from '../../contract/members.ts';
import type { MembershipService } from '../../replica/service.ts';
import { answerHeaders, jsonType } from './answer-headers.ts';
import { closeSignal } from './close-signal.ts';
import { refuseCrossOrigin } from './cross-origin.ts';
import { readJson, smallBodyBytesMax } from './json-body.ts';
import { choiceIn, type JsonObject, listIn, objectAt, placeIn, refusedAt, textIn, wholeBody } from './json-members.ts';
import {
  addSchema,
  memberBody,
  membersSchema,
  moveLeaderBody,
  moveLeaderSchema,
  peerUrlsBody,
  promoteSchema,
  removeSchema,
  updateSchema,
} from './members-schema.ts';
import { parameterSet } from './parameters.ts';
import { prettyJson } from './pretty-json.ts';
import { Query } from './query.ts';
import { consistencyOf, type TimeoutBounds, timeoutOf } from './read-options.ts';
import { refuseBody } from './request-body.ts';
import { splitTarget } from './request-target.ts';

export interface MemberRoutesOptions extends TimeoutBounds {
  readonly membership: MembershipService;
}

const timeoutOnly = parameterSet('timeout');
const listParameters = parameterSet('consistency', 'maxStaleness', 'timeout');

const addMembers: ReadonlySet<string> = new Set(['name', 'peerUrls', 'promote']);
const updateMembers: ReadonlySet<string> = new Set(['peerUrls']);
const moveLeaderMembers: ReadonlySet<string> = new Set(['to']);

/** Who the members are: `/v1/cluster/members`; and which of them leads: `/v1/cluster/leader`. */
export async function memberRoutes(app: FastifyInstance, options: MemberRoutesOptions): Promise<void> {
  const { membership } = options;

  async function list(request: FastifyRequest, reply: FastifyReply): Promise<string> {
    const query = Query.parse(splitTarget(request.originalUrl).query, listParameters);
    const answer = await membership.list({
      timeoutMs: timeoutOf(query, options),
      consistency: consistencyOf(query),
      signal: closeSignal(reply.raw),
    });
    return sendMembers(reply, answer);
  }

  async function add(request: FastifyRequest, reply: FastifyReply): Promise<string> {
    const timeoutMs = timeoutOfRequest(request);
    const asked = addRequest(await readJson(request.raw, smallBodyBytesMax));
    reply.code(201);
    return sendMembers(reply, await membership.add(asked, { timeoutMs }));
  }

  async function promote(request: FastifyRequest, reply: FastifyReply): Promise<string> {
    const timeoutMs = timeoutOfRequest(request);
    const id = memberIdOf(request);
    refuseCrossOrigin(request.raw.headers);
    refuseBody(request.raw);
    return sendMembers(reply, await membership.promote(id, { timeoutMs }));
  }

  async function update(request: FastifyRequest, reply: FastifyReply): Promise<string> {
    const timeoutMs = timeoutOfRequest(request);
    const id = memberIdOf(request);
    const body = objectAt(await readJson(request.raw, smallBodyBytesMax), wholeBody, updateMembers);
    return sendMembers(reply, await membership.update(id, peerUrlsIn(body), { timeoutMs }));
  }

  async function remove(request: FastifyRequest, reply: FastifyReply): Promise<string> {
    const timeoutMs = timeoutOfRequest(request);
    const id = memberIdOf(request);
    refuseBody(request.raw);
    return sendMembers(reply, await membership.remove(id, { timeoutMs }));
  }

  async function moveLeader(request: FastifyRequest, reply: FastifyReply): Promise<string> {
    const timeoutMs = timeoutOfRequest(request);
    const body = objectAt(await readJson(request.raw, smallBodyBytesMax), wholeBody, moveLeaderMembers);
    const to = textIn(body, 'to', wholeBody);
    if (to === '') throw refusedAt(placeIn(wholeBody, 'to'), 'is empty; leave it out, and the leader picks a member');
    const { header, leader } = await membership.moveLeader(to, { timeoutMs });
    reply.headers(answerHeaders(header, jsonType));
    return prettyJson({ leader });
  }

  function timeoutOfRequest(request: FastifyRequest): number {
    return timeoutOf(Query.parse(splitTarget(request.originalUrl).query, timeoutOnly), options);
  }

  app.get('/v1/cluster/members', { schema: membersSchema(listParameters) }, list);
  app.post('/v1/cluster/members', { schema: addSchema(timeoutOnly), config: { jsonBody: memberBody } }, add);
  app.post('/v1/cluster/members/:id/promote', { schema: promoteSchema(timeoutOnly) }, promote);
  app.patch(
    '/v1/cluster/members/:id',
    { schema: updateSchema(timeoutOnly), config: { jsonBody: peerUrlsBody } },
    update,
  );
  app.delete('/v1/cluster/members/:id', { schema: removeSchema(timeoutOnly) }, remove);
  app.post(
    '/v1/cluster/leader',
    { schema: moveLeaderSchema(timeoutOnly), config: { jsonBody: moveLeaderBody } },
    moveLeader,
  );
}

/** Whether the URLs can be those of a new member is for the service to say. */
function addRequest(body: unknown): MemberAddRequest {
  const object = objectAt(body, wholeBody, addMembers);
  return {
    name: textIn(object, 'name', wholeBody) ?? '',
    peerUrls: peerUrlsIn(object),
    promote: choiceIn(object, 'promote', wholeBody, ['auto', 'manual']) ?? 'auto',
  };
}

function peerUrlsIn(object: JsonObject): readonly string[] {
  const place = placeIn(wholeBody, 'peerUrls');
  const urls = listIn(object, 'peerUrls', wholeBody).map((url, i) => {
    if (typeof url === 'string') return url;
    throw refusedAt(placeIn(place, i), 'must be text, a URL such as "http://10.0.0.4:2380"');
  });
  if (urls.length > 0 && urls.length <= memberLimits.peerUrlsMax) return urls;
  throw refusedAt(place, `must be a list of 1 to ${memberLimits.peerUrlsMax} URLs, where the other members reach it`);
}

function memberIdOf(request: FastifyRequest): MemberIdText {
  const { id: text } = request.params as { readonly id: string };
  const id = parseMemberId(text);
  if (id !== undefined) return id;
  throw new BalsaError('bad_request', 'The id of a member is 1 to 16 hexadecimal digits, and not 0.', {
    extras: { parameter: 'id' },
  });
}

function sendMembers(reply: FastifyReply, { header, clusterId, member, members }: MembershipAnswer): string {
  reply.headers(answerHeaders(header, jsonType));
  return prettyJson({
    clusterId,
    ...(member !== undefined && { member: memberJson(member) }),
    members: members.map(memberJson),
  });
}

function memberJson({ id, name, role, peerUrls, clientUrls }: MemberDescription): object {
  return { id, name, role, peerUrls, clientUrls };
}
