import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { openDatabase } from '../src/storage/index.ts';
import { agreedContents } from './support/contents.ts';
import { eventually, type NodeProcess, ProcessCluster } from './support/processes.ts';
import { sendUntilAnswered } from './support/send.ts';
import type { KeyValueJson } from './support/watch-messages.ts';
import { Watcher } from './support/watcher.ts';

test('history: a scan of the past that has begun is told all of it, although it is compacted meanwhile', async () => {
  await using cluster = await ProcessCluster.start(3);
  const [node, other] = cluster.nodes;
  assert.ok(node && other);
  // More than the buffers of a connection take, so that the scan cannot be over before it is read.
  const count = 150;
  const valueAt = (i: number): string => `old ${i} ${'x'.repeat(150_000)}`;
  const keys = Array.from({ length: count }, (_, i) => `scan/${`${i}`.padStart(4, '0')}`);
  for (const [i, key] of keys.entries()) await put(node, key, valueAt(i));
  const past = await revisionOf(node);

  const scan = await node.get(`/v1/kv?prefix=scan/&revision=${past}`, 50_000, { accept: 'application/x-ndjson' });
  assert.equal(scan.status, 200);
  const pages = await node.get(`/v1/kv?prefix=scan/&revision=${past}&limit=3`);
  const { next } = (await pages.json()) as { next: string };
  const reader = (scan.body as ReadableStream<Uint8Array>).getReader();
  const pieces = [(await reader.read()).value ?? new Uint8Array()];
  for (const [i, key] of keys.entries()) await put(other, key, `new ${i}`);
  assert.equal((await compact(other, await revisionOf(other))).status, 200);
  await eventually('the scanned node has compacted, too', 10_000, async () => {
    return (await node.get(`/v1/kv?prefix=scan/&revision=${past}&limit=1`)).status === 410;
  });

  for (let piece = await reader.read(); piece.value !== undefined; piece = await reader.read())
    pieces.push(piece.value);
  const lines = Buffer.concat(pieces).toString().trim().split('\n');
  const found = lines.map((line) => JSON.parse(line) as KeyValueJson);
  assert.deepEqual(
    found.map(({ key }) => key),
    keys,
  );
  for (const [i, { value }] of found.entries()) assert.ok(value === valueAt(i), `${keys[i]} was told changed`);

  // A page is a request of its own.
  const after = await node.get(`/v1/kv?prefix=scan/&revision=${past}&limit=3&after=${next}`);
  const problem = (await after.json()) as { code: string; compactRevision: number };
  assert.deepEqual([after.status, problem.code], [410, 'compacted']);
  assert.ok(problem.compactRevision > past);
});

test('history: the past, leases and the answers of idempotent writes survive a kill of all nodes', async () => {
  await using cluster = await ProcessCluster.start(3);
  const values = ['one', 'two', 'three', 'four', 'five'];
  for (const [i, value] of values.entries()) await put(cluster.node(i % 3), 'k/past', value);
  await eventually('it is deleted', 5000, async () => {
    return (await fetch(`${cluster.node(0).url}/v1/kv/k/past`, { method: 'DELETE' })).ok;
  });
  const { text: leaseText } = await write(cluster.nodes, '/v1/leases', 'POST', 'grant', JSON.stringify({ ttl: 600 }));
  const { id } = JSON.parse(leaseText) as { id: string };
  await put(cluster.node(1), `k/leased?lease=${id}`, 'bound');
  const first = await write(cluster.nodes, '/v1/kv/k/once', 'PUT', 'token-1', 'once');
  await put(cluster.node(2), 'k/once', 'overwritten');
  assert.equal((await compact(cluster.node(0), 3)).status, 200);
  const before = await agreedContents(cluster.nodes);

  await Promise.all(cluster.nodes.map((node) => node.kill()));
  for (const node of cluster.nodes) node.start();
  await cluster.ready();
  assert.deepEqual(await agreedContents(cluster.nodes), before);

  for (const node of cluster.nodes) {
    const name = node.spec.name;
    const past = await Promise.all(
      values.map(async (_, i) => (await node.get(`/v1/kv/k/past?revision=${i + 2}`)).text()),
    );
    assert.deepEqual(past.slice(1), values.slice(1), name);
    assert.equal((JSON.parse(past[0] ?? '') as { code: string }).code, 'compacted', name);
    const lease = (await (await node.get(`/v1/leases/${id}?keys`)).json()) as { grantedTtl: number; keys: unknown };
    assert.deepEqual([lease.grantedTtl, lease.keys], [600, [{ key: 'k/leased' }]], name);
    const again = await write([node], '/v1/kv/k/once', 'PUT', 'token-1', 'once');
    assert.deepEqual([again.status, again.text], [first.status, first.text], `${name} must answer as the first time`);
  }
  assert.deepEqual(await agreedContents(cluster.nodes), before, 'none of them was done again');
  await using watcher = new Watcher({ nodes: [cluster.node(2)], target: { prefix: 'k/' }, revision: 3 });
  await eventually('all that is kept is told', 5000, async () => watcher.told >= before.revision);
  const told = watcher.batches.map(({ revision }) => revision);
  assert.deepEqual(
    told,
    Array.from({ length: before.revision - 2 }, (_, i) => i + 3),
  );
});

test('history: a node whose values got damaged bits stops, sets its store aside, and is whole again when it is started', async () => {
  await using cluster = await ProcessCluster.start(3);
  const node = cluster.node(2);
  for (let i = 0; i < 30; i++) await put(cluster.node(0), `k/${i % 10}`, `value ${i}`);
  const { text } = await write(cluster.nodes, '/v1/leases', 'POST', 'grant', JSON.stringify({ ttl: 600 }));
  const { id } = JSON.parse(text) as { id: string };
  await put(cluster.node(0), `k/leased?lease=${id}`, 'bound');
  const before = await agreedContents(cluster.nodes);
  // Stopped in order, so that everything is on the disk, where it can be damaged.
  node.signal('SIGTERM');
  await node.exited();
  assert.equal(await flipBits(join(node.spec.dataDir, 'data'), 'k/7'), 1, 'the value must be found to be damaged');

  node.start();
  await eventually('it serves', 20_000, async () => (await node.get('/readyz')).ok);
  // Whatever it answers, it must not be the damaged value.
  const answer = await node.get('/v1/kv/k/7?consistency=stale').then(
    async (read) => `${read.status} ${await read.text()}`,
    () => 'cut off',
  );
  assert.doesNotMatch(answer, /^200/);
  const { code } = await node.exited();
  assert.ok(code !== 0 && code !== null, `it must end by itself, and say that it failed: ${code}`);
  const log = readFileSync(node.logPath, 'utf8');
  assert.match(log, /store set aside/);
  const aside = readdirSync(node.spec.dataDir).filter((name) => name !== 'data' && name.startsWith('data'));
  assert.equal(aside.length, 1, `the damaged store is kept beside: ${readdirSync(dirname(node.spec.dataDir))}`);

  await put(cluster.node(0), 'k/meanwhile', 'written without it');
  node.start();
  await cluster.ready();
  const after = await agreedContents(cluster.nodes);
  assert.equal(after.revision, before.revision + 1);
  assert.equal(await (await node.get('/v1/kv/k/7?consistency=stale')).text(), 'value 27');
  assert.equal(await (await node.get('/v1/kv/k/7?revision=9')).text(), 'value 7');
  assert.equal((await node.get(`/v1/leases/${id}`)).status, 200);
});

/** Flips a bit in each record of that key, in whatever table, past Balsa's own checks; how many it found. */
async function flipBits(directory: string, key: string): Promise<number> {
  const database = await openDatabase(directory, { kind: 'data' });
  try {
    let flipped = 0;
    for await (const [name, record] of database.iterator()) {
      if (!name.subarray(5).equals(Buffer.from(key))) continue;
      const damaged = Buffer.from(record);
      const middle = damaged.length >> 1;
      damaged.writeUInt8(damaged.readUInt8(middle) ^ 1, middle);
      await database.batch([{ type: 'put', key: name, value: damaged }]);
      flipped++;
    }
    return flipped;
  } finally {
    await database.close();
  }
}

async function put(node: NodeProcess, path: string, value: string): Promise<void> {
  const answer = await fetch(`${node.url}/v1/kv/${path}`, { method: 'PUT', body: value });
  assert.ok(answer.ok, await answer.text());
}

async function write(nodes: readonly NodeProcess[], path: string, method: string, token: string, body: string) {
  const { answer } = await sendUntilAnswered(nodes, path, { method, body, token }, [200, 201]);
  return answer;
}

async function compact(node: NodeProcess, revision: number): Promise<Response> {
  return fetch(`${node.url}/v1/compact`, { method: 'POST', body: JSON.stringify({ revision }) });
}

async function revisionOf(node: NodeProcess): Promise<number> {
  return Number((await node.get('/v1/kv?prefix=&countOnly=true')).headers.get('balsa-revision'));
}
