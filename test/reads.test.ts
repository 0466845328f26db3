import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually, type NodeProcess, ProcessCluster } from './support/processes.ts';

test('reads: through any node, at once after a write through any other, nothing older is seen', async () => {
  await using cluster = await ProcessCluster.start(3);
  for (let round = 0; round < 100; round++) {
    const writer = cluster.node(round % 3);
    const put = await fetch(`${writer.url}/v1/kv/counter`, { method: 'PUT', body: `${round}` });
    assert.ok(put.ok);
    const seen = await Promise.all(cluster.nodes.map((node) => read(node)));
    assert.deepEqual(seen, [`${round}`, `${round}`, `${round}`]);
  }
});

test('reads: on a node cut off from the others, stale answers with its age and linearizable with no_leader', async () => {
  await using cluster = await ProcessCluster.start(3);
  const [alone, ...others] = cluster.nodes;
  assert.ok(alone);
  await fetch(`${alone.url}/v1/kv/counter`, { method: 'PUT', body: 'before' });
  // A stale read promises nothing about this write before the node has heard that it is committed.
  await eventually('it has applied the write', 5000, async () => {
    return (await (await alone.get('/v1/kv/counter?consistency=stale')).text()) === 'before';
  });
  await Promise.all(others.map((node) => node.kill()));
  await eventually('it has noticed', 10_000, async () => {
    const status = (await (await alone.get('/v1/status')).json()) as { leader: string | null };
    return status.leader === null;
  });

  await eventually('its state says that it grows old', 5000, async () => {
    const stale = await alone.get('/v1/kv/counter?consistency=stale');
    assert.equal(await stale.text(), 'before');
    return Number(stale.headers.get('balsa-staleness-ms')) >= 1000;
  });

  for (const query of ['', '&consistency=bounded&maxStaleness=500ms']) {
    const startedMs = performance.now();
    const answer = await alone.get(`/v1/kv/counter?timeout=1s${query}`);
    assert.equal(answer.status, 503);
    assert.equal(((await answer.json()) as { code: string }).code, 'no_leader');
    assert.ok(performance.now() - startedMs < 3000, 'within its time-out');
  }
  const put = await fetch(`${alone.url}/v1/kv/counter?timeout=1s`, { method: 'PUT', body: 'lost' });
  assert.equal(((await put.json()) as { code: string }).code, 'no_leader');
  assert.equal((await alone.get('/readyz')).status, 503);
  assert.equal((await alone.get('/livez')).status, 200, 'a restart would not bring the others back');

  for (const node of others) node.start();
  await cluster.ready();
  assert.equal(await read(alone), 'before');
});

async function read(node: NodeProcess): Promise<string> {
  return (await node.get('/v1/kv/counter')).text();
}
