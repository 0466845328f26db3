import type { FastifySchema } from 'fastify';
import type { ParameterSet } from './parameters.ts';
import { answer, clusterCodes, problems } from './schema-parts.ts';

const tags = ['Cluster'];

const text = { type: 'string' };
const integer = { type: 'integer' };
const orNull = (schema: { type: string }, description: string) => ({
  ...schema,
  type: [schema.type, 'null'],
  description,
});
const id = { type: 'string', pattern: '^[0-9a-f]+$', description: 'Hexadecimal.' };
const leader = orNull(text, "The leader's member id; null while there is none.");

function closed(properties: Readonly<Record<string, object>>): object {
  return { type: 'object', properties, required: Object.keys(properties), additionalProperties: false };
}

const clusterAnswer = closed({
  clusterId: id,
  leader,
  raftTerm: integer,
  revision: integer,
  members: {
    type: 'array',
    items: closed({
      id,
      name: text,
      role: { type: 'string', enum: ['voter', 'learner'] },
      state: { type: 'string', enum: ['leader', 'follower', 'unreachable'] },
      peerUrls: { type: 'array', items: text },
      clientUrls: { type: 'array', items: text },
      matchIndex: orNull(integer, 'The newest log entry that it is known to have. Only the leader knows.'),
      lagEntries: orNull(integer, 'Entries that it lacks. Only the leader knows.'),
      lastContactMs: orNull({ type: 'number' }, 'Milliseconds since it was last heard; null: never.'),
      version: text,
    }),
  },
});

const statusAnswer = closed({
  memberId: id,
  clusterId: id,
  name: text,
  version: text,
  state: { type: 'string', enum: ['leader', 'follower', 'candidate', 'learner'] },
  leader,
  raftTerm: integer,
  commitIndex: integer,
  appliedIndex: integer,
  lastIndex: integer,
  revision: integer,
  keyCount: integer,
  dbSizeBytes: integer,
  uptimeSeconds: { type: 'number' },
  peers: {
    type: 'array',
    items: closed({
      id,
      name: text,
      address: text,
      state: { type: 'string', enum: ['connecting', 'connected', 'refused'] },
      reason: orNull(text, 'Why it is refused, or the connection failed.'),
      lastContactMs: orNull({ type: 'number' }, 'Milliseconds since it was last heard; null: never.'),
      roundTripMs: orNull({ type: 'number' }, 'The last one measured.'),
    }),
  },
  errors: { type: 'array', items: text, description: 'What is wrong right now, in words.' },
});

export function clusterSchema(parameters: ParameterSet): FastifySchema {
  return {
    operationId: 'getCluster',
    summary: 'All members',
    description: 'What only the leader knows is asked of it; without one, this member tells what it knows.',
    tags,
    querystring: parameters.schema,
    response: {
      200: answer({ description: 'The cluster.', content: { 'application/json': { schema: clusterAnswer } } }),
      ...problems(...clusterCodes),
    },
  };
}

export function statusSchema(parameters: ParameterSet): FastifySchema {
  return {
    operationId: 'getStatus',
    summary: 'This member',
    tags,
    querystring: parameters.schema,
    response: {
      200: answer({ description: 'The member.', content: { 'application/json': { schema: statusAnswer } } }),
      ...problems(),
    },
  };
}

const alarmsAnswer = closed({
  alarms: {
    type: 'array',
    items: {
      type: 'object',
      properties: {
        alarm: {
          type: 'string',
          enum: ['no_space', 'corrupt'],
          description:
            'no_space: writes that need space are refused until there is some again. ' +
            "corrupt: a member's state differs from that of the others; it serves nobody until it has a new one.",
        },
        memberId: { ...id, description: 'The member that it is about; absent where it is about all.' },
      },
      required: ['alarm'],
      additionalProperties: false,
    },
  },
});

export function alarmsSchema(parameters: ParameterSet): FastifySchema {
  return {
    operationId: 'getAlarms',
    summary: 'What is wrong for long',
    description: 'As this member knows it; empty when all is well.',
    tags,
    querystring: parameters.schema,
    response: {
      200: answer({
        description: 'The alarms.',
        content: { 'application/json': { schema: alarmsAnswer, example: { alarms: [{ alarm: 'no_space' }] } } },
      }),
      ...problems(),
    },
  };
}
