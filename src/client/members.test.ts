import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { connect } from './index.ts';
import { Endpoints, hangUp, json, problem, rejection } from './testing/endpoint.ts';

const endpoints = new Endpoints();
afterEach(() => endpoints.closeAll());

const peerUrls = ['http://d:2380'];
const member = { id: 'd4', name: 'd', role: 'learner', peerUrls, clientUrls: [] } as const;
const changed = { clusterId: 'c1', member, members: [member] };

test('members: requests and answers are those of the API', async () => {
  const seen: string[] = [];
  const answers: Record<string, object> = {
    'GET /v1/cluster/members': { clusterId: 'c1', members: [member] },
    'POST /v1/cluster/members': changed,
    'POST /v1/cluster/members/d4/promote': changed,
    'PATCH /v1/cluster/members/d4': changed,
    'DELETE /v1/cluster/members/d4': { clusterId: 'c1', members: [] },
    'POST /v1/cluster/leader': { leader: 'd4' },
  };
  const url = await endpoints.open((request, response) => {
    const what = `${request.method} ${request.url?.split('?')[0]}`;
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk;
    });
    request.on('end', () => seen.push(`${what} ${body}`.trim()));
    json(answers[what], what === 'POST /v1/cluster/members' ? 201 : 200)(request, response);
  });
  const { members } = connect({ endpoints: url });
  assert.deepEqual(await members.list(), { clusterId: 'c1', members: [member] });
  assert.deepEqual(await members.add(peerUrls, { name: 'd', promote: 'auto' }), changed);
  assert.deepEqual(await members.add(peerUrls), changed);
  assert.deepEqual(await members.promote('d4'), changed);
  assert.deepEqual(await members.update('d4', peerUrls), changed);
  assert.deepEqual(await members.remove('d4'), { clusterId: 'c1', members: [] });
  assert.deepEqual(await members.moveLeader('d'), { leader: 'd4' });
  assert.deepEqual(await members.moveLeader(), { leader: 'd4' });
  assert.deepEqual(seen, [
    'GET /v1/cluster/members',
    'POST /v1/cluster/members {"name":"d","peerUrls":["http://d:2380"],"promote":"auto"}',
    'POST /v1/cluster/members {"peerUrls":["http://d:2380"]}',
    'POST /v1/cluster/members/d4/promote',
    'PATCH /v1/cluster/members/d4 {"peerUrls":["http://d:2380"]}',
    'DELETE /v1/cluster/members/d4',
    'POST /v1/cluster/leader {"to":"d"}',
    'POST /v1/cluster/leader {}',
  ]);
});

test('members: a change that was sent and not answered is not sent again', async () => {
  let asked = 0;
  const url = await endpoints.open((request, response) => {
    asked++;
    hangUp(request, response);
  });
  const { members } = connect({ endpoints: [url, await endpoints.open(json(changed))] });
  assert.equal((await rejection(members.add(peerUrls))).code, 'outcome_unknown');
  assert.equal(asked, 1);
});

test('members: a refusal comes with its code and says what to do', async () => {
  const url = await endpoints.open(problem('quorum_at_risk'));
  const failure = await rejection(connect({ endpoints: url }).members.remove('d4'));
  assert.deepEqual([failure.code, failure.detail], ['quorum_at_risk', 'It is quorum_at_risk.']);
});
