import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { connect } from '../src/client/index.ts';
import { sampleBackup } from '../src/server/testing/sample-backup.ts';
import { balsa } from './support/balsa.ts';
import { eventually, type NodeProcess, ProcessCluster } from './support/processes.ts';

const keys = 500;
let cluster: ProcessCluster;
before(async () => {
  cluster = await ProcessCluster.prepare(3);
});
after(() => cluster[Symbol.asyncDispose]());

async function output(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await balsa(args);
  assert.deepEqual([code, stderr], [0, '']);
  return stdout;
}

/** Of the backup that are there as they were. */
async function keysOf({ url }: NodeProcess, consistency: 'stale' | 'linearizable'): Promise<number> {
  let count = 0;
  for await (const { key, value } of connect({ endpoints: url }).list({ prefix: 'key/', consistency })) {
    const number = Buffer.from(key).toString().slice('key/'.length);
    assert.ok(Buffer.from(value).equals(Buffer.alloc(10, `${number} `)), number);
    count++;
  }
  return count;
}

test('restore: three directories become a cluster with every key, in a new history', async () => {
  const file = join(dirname(dirname(cluster.node(0).spec.dataDir)), 'balsa.backup');
  await writeFile(file, await sampleBackup({ keys }));
  const initialCluster = cluster.nodes.map(({ spec }) => `${spec.name}=http://127.0.0.1:${spec.peerPort}`).join(',');
  for (const { spec } of cluster.nodes) {
    const member = ['--name', spec.name, '--data-dir', spec.dataDir, '--initial-cluster', initialCluster];
    await output('snapshot', 'restore', file, ...member);
  }
  for (const node of cluster.nodes) node.start();
  await cluster.ready();
  for (const node of cluster.nodes) assert.equal(await keysOf(node, 'stale'), keys);
  const { clusterId, revision } = await connect({ endpoints: cluster.node(1).url }).cluster();
  assert.notEqual(clusterId, 'cdf818194e3a8c32');
  assert.ok(revision > 1_000_000_000, `${revision}`);
  // Who watched the old cluster is told that its history has ended.
  const old = await cluster.node(2).get(`/v1/kv/key/1?revision=${keys}`);
  assert.equal(old.status, 410);
});

test('recover: one survivor of three goes on alone, with all that was acknowledged', async () => {
  const [survivor, other] = [cluster.node(0), cluster.node(1)];
  const client = connect({ endpoints: cluster.nodes.map(({ url }) => url) });
  const before = await client.cluster();
  const { revision } = await client.put('acknowledged', 'yes');
  await eventually('the survivor has it', 10_000, async () => {
    const seen = await connect({ endpoints: survivor.url }).get('acknowledged', { consistency: 'stale' });
    return seen !== undefined;
  });
  await survivor.kill();
  const recover = ['recover', '--force-new-cluster', '--data-dir', survivor.spec.dataDir];
  const refused = await balsa(recover);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /the cluster has a leader, as http.* says: its quorum is not lost/);
  await cluster.killAll();

  assert.match(await output(...recover), /is now the only member of the new cluster /);
  survivor.start();
  // With its directory of before: it must not be let in, nor let anybody in.
  other.start();
  await eventually('the survivor serves', 20_000, async () => (await survivor.get('/readyz')).ok);
  assert.equal(await keysOf(survivor, 'linearizable'), keys);
  const alone = connect({ endpoints: survivor.url });
  assert.equal(Buffer.from((await alone.get('acknowledged'))?.value ?? []).toString(), 'yes');
  assert.ok((await alone.put('after', '')).revision > revision + 1_000_000_000);
  const { clusterId, members } = await alone.cluster();
  assert.notEqual(clusterId, before.clusterId);
  assert.deepEqual(
    members.map(({ name, role, state }) => [name, role, state]),
    [['node1', 'voter', 'leader']],
  );
  await eventually('the other one is refused', 20_000, async () =>
    (await readFile(other.logPath, 'utf8')).includes(`belongs to cluster ${clusterId}`),
  );
});
