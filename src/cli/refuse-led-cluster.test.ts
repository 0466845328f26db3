import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { Endpoints, hangUp, json } from '../client/testing/endpoint.ts';
import { refuseLedCluster } from './refuse-led-cluster.ts';

const endpoints = new Endpoints();
afterEach(() => endpoints.closeAll());

/** Of `a1`, whose cluster has a member `b2` that answers so. */
async function guard(answer: Parameters<Endpoints['open']>[0]): Promise<void> {
  const members = [
    { id: 'a1', name: 'node1', clientUrls: ['http://127.0.0.1:9'] },
    { id: 'b2', name: 'node2', clientUrls: [await endpoints.open(answer)] },
    { id: 'c3', name: 'node3', clientUrls: [await endpoints.closed()] },
  ];
  await refuseLedCluster({ clusterId: 'cdf8', memberId: 'a1', name: 'node1', peerUrls: [], members });
}

test('recover: refused while another member follows a leader', async () => {
  await assert.rejects(
    guard(json({ memberId: 'b2', leader: 'b2' })),
    /node2 answers at http.*, and its cluster has a leader: its quorum is not lost/,
  );
});

test('recover: others that answer without a leader, not at all, or for another cluster, are no reason', async () => {
  await guard(json({ memberId: 'b2', leader: null }));
  await guard(hangUp);
  await guard(json({ memberId: 'ff', leader: 'ff' }));
});
