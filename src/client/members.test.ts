import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { connect } from './index.ts';
import { Endpoints, hangUp, json, problem, rejection } from './testing/endpoint.ts';

const endpoints = new Endpoints();
afterEach(() => endpoints.closeAll());

const peerUrls = ['http://10.0.0.4:2380'];
const member = { id: 'a1', name: 'node4', role: 'learner', peerUrls, clientUrls: [] };
const list = { clusterId: 'cdf8', members: [member] };

test('members: requests and answers are those of the API', async () => {
  const seen: string[] = [];
  const url = await endpoints.open((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk;
    });
    request.on('end', () => {
      const target = request.url?.replace(/[?&]timeout=\d+ms/, '');
      seen.push(`${request.method} ${target} ${body}`.trimEnd());
    });
    json(request.url?.includes('/leader') ? { leader: 'a1' } : { ...list, member })(request, response);
  });
  const { members } = connect({ endpoints: url });
  assert.deepEqual((await members.add(peerUrls, { name: 'node4', promote: 'manual' })).member, member);
  await members.add(peerUrls);
  await members.promote('a1');
  await members.update('a1', peerUrls);
  assert.deepEqual((await members.remove('a1')).members, [member]);
  assert.equal((await members.list({ consistency: 'stale' })).clusterId, 'cdf8');
  assert.deepEqual(await members.moveLeader('node4'), { leader: 'a1' });
  assert.deepEqual(await members.moveLeader(), { leader: 'a1' });
  assert.deepEqual(seen, [
    'POST /v1/cluster/members {"peerUrls":["http://10.0.0.4:2380"],"name":"node4","promote":"manual"}',
    'POST /v1/cluster/members {"peerUrls":["http://10.0.0.4:2380"]}',
    'POST /v1/cluster/members/a1/promote',
    'PATCH /v1/cluster/members/a1 {"peerUrls":["http://10.0.0.4:2380"]}',
    'DELETE /v1/cluster/members/a1',
    'GET /v1/cluster/members?consistency=stale',
    'POST /v1/cluster/leader {"to":"node4"}',
    'POST /v1/cluster/leader {}',
  ]);
});

test('members: a change that was sent and not answered is not sent again, and says how to find out', async () => {
  const both = [await endpoints.open(hangUp), await endpoints.open(json({ ...list, member }))];
  const { code, detail } = await rejection(connect({ endpoints: both }).members.add(peerUrls));
  assert.equal(code, 'outcome_unknown');
  assert.match(detail, /List the members to find out\.$/);
});

test('members: a move to one that is named is asked for again elsewhere; a move to any is not', async () => {
  const both = [await endpoints.open(hangUp), await endpoints.open(json({ leader: 'a1' }))];
  assert.deepEqual(await connect({ endpoints: both }).members.moveLeader('node4'), { leader: 'a1' });
  assert.equal((await rejection(connect({ endpoints: both }).members.moveLeader())).code, 'outcome_unknown');
});

test('members: what the cluster refuses is told as it is', async () => {
  for (const code of ['quorum_at_risk', 'change_in_progress', 'learner_behind', 'member_not_found'] as const) {
    const balsa = connect({ endpoints: await endpoints.open(problem(code)) });
    assert.equal((await rejection(balsa.members.remove('a1'))).code, code);
  }
});
