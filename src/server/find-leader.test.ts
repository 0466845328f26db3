import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import { afterEach, test } from 'node:test';
import { Endpoints, hangUp, inTurn, json } from '../client/testing/endpoint.ts';
import { findLeader } from './find-leader.ts';

const endpoints = new Endpoints();
afterEach(() => endpoints.closeAll());

/** A member of `clusterId`, with these answers to `GET /v1/status` in turn, the last one again and again. */
function member(clusterId: string, ...leaders: readonly (string | null)[]): RequestListener {
  const status = inTurn(...leaders.map((leader) => json({ memberId: 'b2', leader })));
  const cluster = json({ clusterId, leader: null, raftTerm: 1, revision: 1, members: [] });
  return (request, response) => (request.url?.startsWith('/v1/status') ? status : cluster)(request, response);
}

/** What the directory of `a1` finds, whose cluster has a member `b2` behind that URL. */
function seen(b2: { readonly clientUrls: readonly string[]; readonly peerUrls: readonly string[] }, patienceMs = 5000) {
  const self = { id: 'a1', name: 'node1', peerUrls: ['http://127.0.0.1:9'], clientUrls: ['http://127.0.0.1:9'] };
  const facts = { clusterId: 'cdf8', memberId: 'a1', name: 'node1', peerUrls: self.peerUrls };
  return findLeader({ ...facts, members: [self, { id: 'b2', name: 'node2', ...b2 }] }, patienceMs);
}

test('find leader: another member follows one, at once or after an election', async () => {
  for (const leaders of [['c3'], [null, null, 'b2']]) {
    const url = await endpoints.open(member('cdf8', ...leaders));
    assert.deepEqual(await seen({ clientUrls: [url], peerUrls: [] }), { url });
  }
});

test('find leader: the others know where clients find them, if the directory does not', async () => {
  const url = await endpoints.open(member('cdf8', 'b2'));
  const b2 = { id: 'b2', name: 'node2', role: 'voter', peerUrls: [], clientUrls: [url], version: '' };
  const description = { clusterId: 'cdf8', memberId: 'b2', appliedIndex: 7, clusterVersion: '0.1', members: [b2] };
  const peerUrls = [await endpoints.open(json(description))];
  assert.deepEqual(await seen({ clientUrls: [], peerUrls }), { url });
});

test('find leader: nobody answers, nobody has one, or it is another cluster that answers', async () => {
  const none = { peerUrls: [await endpoints.closed()] };
  assert.equal(await seen({ ...none, clientUrls: [await endpoints.open(hangUp)] }), undefined);
  assert.equal(await seen({ ...none, clientUrls: [await endpoints.open(member('cdf8', null))] }, 0), undefined);
  assert.equal(await seen({ ...none, clientUrls: [await endpoints.open(member('ffff', 'b2'))] }), undefined);
});
