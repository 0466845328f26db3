import type { FastifySchema } from 'fastify';
import { memberLimits } from '../../contract/members.ts';
import type { ParameterSet } from './parameters.ts';
import { answer, clusterCodes, problems, stalenessHeader, writeCodes } from './schema-parts.ts';

const tags = ['Cluster'];

const text = { type: 'string' };
const id = { type: 'string', pattern: '^[1-9a-f][0-9a-f]{0,15}$', description: 'Hexadecimal; never used again.' };
const clusterId = { type: 'string', pattern: '^[0-9a-f]+$', description: 'Hexadecimal.' };

const peerUrls = {
  type: 'array',
  items: { type: 'string', maxLength: memberLimits.urlBytesMax },
  minItems: 1,
  maxItems: memberLimits.peerUrlsMax,
  description: 'Where the other members reach it; http://host:port, of no other member.',
};

const params = {
  type: 'object',
  properties: { id: { type: 'string', pattern: '^[0-9a-fA-F]{1,16}$', description: 'The member.' } },
  required: ['id'],
};

function closed(properties: Readonly<Record<string, object>>, required = Object.keys(properties)): object {
  return { type: 'object', properties, required, additionalProperties: false };
}

const member = closed({
  id,
  name: { ...text, description: 'Empty until the member has started, if none was given.' },
  role: { type: 'string', enum: ['voter', 'learner'] },
  peerUrls: { type: 'array', items: text },
  clientUrls: { type: 'array', items: text, description: 'Empty until the member has started.' },
});

const members = { type: 'array', items: member };

const exampleVoter = {
  id: '8e9e05c52164694d',
  name: 'node1',
  role: 'voter',
  peerUrls: ['http://10.0.0.1:2380'],
  clientUrls: ['http://10.0.0.1:2379'],
};
const exampleLearner = {
  id: '1c2f5a90b3d7e684',
  name: 'node4',
  role: 'learner',
  peerUrls: ['http://10.0.0.4:2380'],
  clientUrls: [],
};
const all = { clusterId: 'cdf818194e3a8c32', members: [exampleVoter, exampleLearner] };

function membersAnswer(description: string): object {
  const schema = closed({ clusterId, members });
  return answer({ description, content: { 'application/json': { schema, example: all } } });
}

/** Also with the member that it was about. */
function memberAnswer(description: string): object {
  const schema = closed({ clusterId, member, members });
  const example = { clusterId: all.clusterId, member: exampleLearner, members: all.members };
  return answer({ description, content: { 'application/json': { schema, example } } });
}

export const memberBody = closed(
  {
    name: { ...text, description: 'For people; a member that starts says its own. May be left out.' },
    peerUrls,
    promote: {
      type: 'string',
      enum: ['auto', 'manual'],
      default: 'auto',
      description: 'auto: it votes as soon as it has caught up. manual: when it is promoted.',
    },
  },
  ['peerUrls'],
);

export const peerUrlsBody = closed({ peerUrls });

export const moveLeaderBody = closed(
  { to: { ...text, description: 'The id or the name of a voter. Left out: the most advanced one.' } },
  [],
);

export function membersSchema(parameters: ParameterSet): FastifySchema {
  return {
    operationId: 'listMembers',
    summary: 'The members',
    description: 'Who belongs to the cluster. How they are is in `/v1/cluster`.',
    tags,
    querystring: parameters.schema,
    response: {
      200: answer({
        description: 'The members.',
        headers: stalenessHeader,
        content: { 'application/json': { schema: closed({ clusterId, members }), example: all } },
      }),
      ...problems(...clusterCodes),
    },
  };
}

/** What any change of members can end with: the next one waits for the one before. */
const changeCodes = ['change_in_progress', 'not_capable', 'quorum_at_risk', ...writeCodes] as const;

export function addSchema(parameters: ParameterSet): FastifySchema {
  return {
    operationId: 'addMember',
    summary: 'Add a member',
    description:
      'It begins as a learner, which copies and does not vote. Start it afterwards with an empty data directory, and ' +
      '`--join` or `--initial-cluster-state existing`.',
    tags,
    querystring: parameters.schema,
    response: {
      201: memberAnswer('It belongs to the cluster, and may be started.'),
      ...problems('member_exists', 'too_large', ...changeCodes),
    },
  };
}

export function promoteSchema(parameters: ParameterSet): FastifySchema {
  return {
    operationId: 'promoteMember',
    summary: 'Let a learner vote',
    description: 'Once it has caught up. Takes no body.',
    tags,
    params,
    querystring: parameters.schema,
    response: {
      200: memberAnswer('It votes.'),
      ...problems('member_not_found', 'not_a_learner', 'learner_behind', ...changeCodes),
    },
  };
}

export function updateSchema(parameters: ParameterSet): FastifySchema {
  return {
    operationId: 'updateMember',
    summary: 'Change where the others reach a member',
    tags,
    params,
    querystring: parameters.schema,
    response: {
      200: memberAnswer('The others connect there from now on.'),
      ...problems('member_not_found', 'member_exists', 'too_large', ...changeCodes),
    },
  };
}

export function removeSchema(parameters: ParameterSet): FastifySchema {
  return {
    operationId: 'removeMember',
    summary: 'Remove a member',
    description: 'It takes part no more, and its id is never used again. A leader hands over first.',
    tags,
    params,
    querystring: parameters.schema,
    response: {
      200: membersAnswer('It is gone; these are left.'),
      ...problems('member_not_found', ...changeCodes),
    },
  };
}

export function moveLeaderSchema(parameters: ParameterSet): FastifySchema {
  return {
    operationId: 'moveLeader',
    summary: 'Hand leadership to another member',
    description: 'Answered when that one leads. The body may be `{}`.',
    tags,
    querystring: parameters.schema,
    response: {
      200: answer({
        description: 'It leads.',
        content: { 'application/json': { schema: closed({ leader: id }), example: { leader: exampleVoter.id } } },
      }),
      ...problems('bad_transferee', 'member_not_found', 'too_large', ...writeCodes),
    },
  };
}
