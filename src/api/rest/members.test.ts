import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { BalsaError, type ErrorCode, errorCatalogue } from '../../contract/errors.ts';
import type { MembershipAnswer } from '../../contract/members.ts';
import type { MembershipService } from '../../replica/service.ts';
import type { Answer, CallOptions, HttpClient } from './testing/http-client.ts';
import { OpenapiDocument } from './testing/openapi-document.ts';
import { startApp } from './testing/start-api.ts';

const header = { memberId: '8e9e05c52164694d', revision: 7, raftTerm: 3 };
const voter = {
  id: '8e9e05c52164694d',
  name: 'node1',
  role: 'voter',
  peerUrls: ['http://10.0.0.1:2380'],
  clientUrls: ['http://10.0.0.1:2379'],
} as const;
const learner = { id: 'a1', name: '', role: 'learner', peerUrls: ['http://10.0.0.4:2380'], clientUrls: [] } as const;
const members = [voter, learner];
const answerAbout = (member: MembershipAnswer['member']): MembershipAnswer => ({
  header,
  clusterId: 'cdf8',
  member,
  members,
});

const one = '/v1/cluster/members/{id}';
const all = '/v1/cluster/members';
const leader = '/v1/cluster/leader';
const urls = '{"peerUrls":["http://10.0.0.4:2380"]}';

/** One app for all tests: to make its document takes longer than all of them. */
let client: HttpClient;
let document: OpenapiDocument;
let close: () => void = () => {};
let calls: unknown[] = [];
let failure: BalsaError | undefined;

before(async () => {
  ({ client } = await startApp({ after: (end) => (close = end as () => void) }, {}, { membership: recording() }));
  document = await OpenapiDocument.of(client);
});
beforeEach(() => {
  calls = [];
  failure = undefined;
});
after(() => close());

/** A service that notes what it is asked for, and does it or fails. */
function recording(): MembershipService {
  const record =
    <Result>(method: string, result: Result) =>
    async (...given: readonly unknown[]): Promise<Result> => {
      if (failure !== undefined) throw failure;
      const options = given.at(-1) as { readonly signal?: AbortSignal };
      const { signal: _signal, ...rest } = options;
      calls.push([method, ...given.slice(0, -1), rest]);
      return result;
    };
  return {
    add: record('add', answerAbout(learner)),
    promote: record('promote', answerAbout({ ...learner, role: 'voter' })),
    remove: record('remove', answerAbout(undefined)),
    update: record('update', answerAbout(learner)),
    list: record('list', answerAbout(undefined)),
    moveLeader: record('moveLeader', { header, leader: 'a1' }),
  };
}

/** What the service is asked for by one request, and what the client gets, which is held against the document. */
async function requested(
  target: string,
  path: string,
  options?: CallOptions,
): Promise<{ readonly calls: readonly unknown[]; readonly answer: Answer }> {
  calls = [];
  return { answer: await document.checkAnswer(target, path, options), calls };
}

const usual = { timeoutMs: 5000 };

test('members: add: 201, a learner that is promoted by itself unless something else is said', async () => {
  const { answer, calls } = await requested(`POST ${all}`, all, { body: urls });
  assert.deepEqual([answer.status, answer.json()], [201, { clusterId: 'cdf8', member: learner, members }]);
  const peerUrls = ['http://10.0.0.4:2380'];
  assert.deepEqual(calls, [['add', { name: '', peerUrls, promote: 'auto' }, usual]]);
  const body = JSON.stringify({ name: 'node4', peerUrls, promote: 'manual' });
  const manual = await requested(`POST ${all}?timeout=30s`, all, { body });
  assert.deepEqual(manual.calls, [['add', { name: 'node4', peerUrls, promote: 'manual' }, { timeoutMs: 30_000 }]]);
});

test('members: promote, update and remove, by an id however it is written', async () => {
  const promoted = await requested(`POST ${all}/00A1/promote`, `${one}/promote`);
  assert.deepEqual(promoted.calls, [['promote', 'a1', usual]]);
  assert.equal((promoted.answer.json()['member'] as { role: string }).role, 'voter');
  const updated = await requested(`PATCH ${all}/a1`, one, { body: urls });
  assert.deepEqual(updated.calls, [['update', 'a1', ['http://10.0.0.4:2380'], usual]]);
  const removed = await requested(`DELETE ${all}/000000000000A1`, one);
  assert.deepEqual(removed.calls, [['remove', 'a1', usual]]);
  assert.deepEqual(removed.answer.json(), { clusterId: 'cdf8', members });
});

test('members: list, linearizable or as this member knows them', async () => {
  const { answer, calls } = await requested(`GET ${all}`, all);
  assert.deepEqual(calls, [['list', { ...usual, consistency: { level: 'linearizable' } }]]);
  assert.deepEqual(answer.json(), { clusterId: 'cdf8', members });
  assert.equal(answer.headers['balsa-revision'], '7');
  const stale = await requested(`GET ${all}?consistency=stale`, all);
  assert.deepEqual(stale.calls, [['list', { ...usual, consistency: { level: 'stale' } }]]);
});

test('members: leader: to the one that is named, or to the one that the leader picks', async () => {
  const named = await requested(`POST ${leader}`, leader, { body: '{"to":"node2"}' });
  assert.deepEqual(named.calls, [['moveLeader', 'node2', usual]]);
  assert.deepEqual(named.answer.json(), { leader: 'a1' });
  const any = await requested(`POST ${leader}`, leader, { body: '{}' });
  assert.deepEqual(any.calls, [['moveLeader', undefined, usual]]);
});

for (const [target, path, body, parameter] of [
  [`POST ${all}`, all, '{}', 'peerUrls'],
  [`POST ${all}`, all, '{"peerUrls":[]}', 'peerUrls'],
  [`POST ${all}`, all, '{"peerUrls":"http://a:2380"}', 'peerUrls'],
  [`POST ${all}`, all, '{"peerUrls":["http://a:2380",7]}', 'peerUrls[1]'],
  [`POST ${all}`, all, JSON.stringify({ peerUrls: Array(9).fill('http://a:2380') }), 'peerUrls'],
  [`POST ${all}`, all, '{"peerUrls":["http://a:2380"],"name":7}', 'name'],
  [`POST ${all}`, all, '{"peerUrls":["http://a:2380"],"name":"\\ud800"}', 'name'],
  [`POST ${all}`, all, '{"peerUrls":["http://a:2380"],"promote":true}', 'promote'],
  [`POST ${all}`, all, '{"peerUrls":["http://a:2380"],"isLearner":true}', 'isLearner'],
  [`POST ${all}`, all, '[]', undefined],
  [`POST ${all}`, all, '', undefined],
  [`POST ${all}?promote=auto`, all, urls, 'promote'],
  [`PATCH ${all}/a1`, one, '{}', 'peerUrls'],
  [`PATCH ${all}/a1`, one, '{"peerUrls":["http://a:2380"],"name":"x"}', 'name'],
  [`PATCH ${all}/node1`, one, urls, 'id'],
  [`POST ${all}/0/promote`, `${one}/promote`, '', 'id'],
  [`POST ${all}/a1/promote`, `${one}/promote`, '{}', undefined],
  [`DELETE ${all}/00000000000000001`, one, '', 'id'],
  [`DELETE ${all}/a1`, one, '{}', undefined],
  [`GET ${all}?limit=5`, all, '', 'limit'],
  [`POST ${leader}`, leader, '{"to":7}', 'to'],
  [`POST ${leader}`, leader, '{"to":""}', 'to'],
  [`POST ${leader}`, leader, '{"target":"node2"}', 'target'],
  [`POST ${leader}`, leader, '', undefined],
] as const) {
  test(`members: ${target} ${body} is refused, and nobody is asked`, async () => {
    // Node sends none with a DELETE by itself.
    const headers = { 'content-length': `${body.length}` };
    const { answer, calls } = await requested(target, path, body === '' ? {} : { body, headers });
    assert.deepEqual([answer.status, answer.json()['code'], calls], [400, 'bad_request', []]);
    assert.equal(answer.json()['parameter'], parameter);
  });
}

for (const [target, path, body] of [
  [`POST ${all}`, all, urls],
  [`POST ${all}/a1/promote`, `${one}/promote`, undefined],
  [`PATCH ${all}/a1`, one, urls],
  [`POST ${leader}`, leader, '{}'],
] as const) {
  test(`members: ${target}: a page of another origin changes nothing`, async () => {
    const headers = { 'sec-fetch-site': 'cross-site', 'content-type': 'text/plain' };
    const { answer, calls } = await requested(target, path, { headers, ...(body !== undefined && { body }) });
    assert.deepEqual([answer.status, answer.json()['parameter'], calls], [400, 'Sec-Fetch-Site', []]);
  });
}

const ofChanges: readonly ErrorCode[] = [
  'change_in_progress',
  'not_capable',
  'quorum_at_risk',
  'outcome_unknown',
  'no_leader',
  'unavailable',
  'timeout',
  'too_many_requests',
  'internal',
];

for (const [target, path, body, codes] of [
  [`POST ${all}`, all, urls, ['member_exists', ...ofChanges]],
  [
    `POST ${all}/a1/promote`,
    `${one}/promote`,
    undefined,
    ['member_not_found', 'not_a_learner', 'learner_behind', ...ofChanges],
  ],
  [`PATCH ${all}/a1`, one, urls, ['member_not_found', 'member_exists', ...ofChanges]],
  [`DELETE ${all}/a1`, one, undefined, ['member_not_found', ...ofChanges]],
  [`GET ${all}`, all, undefined, ['no_leader', 'unavailable', 'timeout', 'internal']],
  [
    `POST ${leader}`,
    leader,
    '{}',
    ['bad_transferee', 'member_not_found', 'timeout', 'no_leader', 'outcome_unknown', 'unavailable', 'internal'],
  ],
] as const) {
  for (const code of codes) {
    test(`members: ${target}: ${code} is a problem, and documented`, async () => {
      const detail = 'What happened. What to do.';
      failure = new BalsaError(code, detail);
      const answer = await document.checkAnswer(target, path, body === undefined ? {} : { body });
      const { title, httpStatus: status, retryable, definite } = errorCatalogue[code];
      assert.deepEqual(answer.json(), { code, title, status, detail, retryable, definite });
      assert.equal(answer.headers['content-type'], 'application/problem+json; charset=utf-8');
    });
  }
}

for (const [target, allow] of [
  [`PUT ${all}`, 'GET, HEAD, POST'],
  [`GET ${all}/a1`, 'DELETE, PATCH'],
  [`GET ${all}/a1/promote`, 'POST'],
  [`GET ${leader}`, 'POST'],
] as const) {
  test(`members: ${target}: another method is wanted`, async () => {
    const answer = await client.call(target);
    assert.deepEqual([answer.status, answer.json()['code']], [405, 'method_not_allowed']);
    assert.equal(answer.headers.allow, allow);
  });
}

test('members: the examples of the document are valid by its schemas', async () => {
  const operations = document.operations().filter(({ name }) => /cluster\/|snapshot/.test(name));
  assert.equal(operations.length, 9);
  for (const { name, operation } of operations) {
    for (const { content = {} } of Object.values(operation.responses)) {
      for (const { schema, example } of Object.values(content)) {
        if (example !== undefined) await document.checkSchema(schema, example, name);
      }
    }
  }
});
