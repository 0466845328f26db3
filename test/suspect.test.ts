import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { seededRandom } from '../src/base/random.ts';
import { agreedContents } from './support/contents.ts';
import { eventually, type NodeProcess, ProcessCluster } from './support/processes.ts';
import { WriteLoad } from './support/write-load.ts';
import { damageJournal, receiptQuietMs } from './torture/damage.ts';
import { refusalOfLoneDamagedNode } from './torture/lone-damage.ts';

test('suspect: a member whose journal is damaged while it is down heals by itself from the others, again and again', async () => {
  await using cluster = await ProcessCluster.start(3);
  const seed = 5;
  const random = seededRandom(seed);
  for (let round = 1; round <= 4; round++) {
    await using load = new WriteLoad(cluster.nodes, 4, `round-${round}`);
    await eventually('writes flow', 10_000, async () => load.acknowledged() > 100);
    await load.stop();
    const node = cluster.node(round % 3);
    await new Promise((resolve) => setTimeout(resolve, receiptQuietMs));
    await node.kill();
    const done = damageJournal(node.spec.dataDir, round === 4 ? 'data' : 'log', random);
    node.start();
    await cluster.ready();
    await eventually(
      `seed ${seed}, ${done}: it is a full member again`,
      20_000,
      async () => (await errorsOf(node)).length === 0,
    );
    const { values } = await agreedContents(cluster.nodes);
    for (const { key, outcome } of load.records)
      if (outcome === 'acknowledged') assert.ok(values.has(key), `${done}: ${key}`);
  }
  const aside = cluster.nodes.flatMap(({ spec }) =>
    readdirSync(spec.dataDir).filter((name) => name.includes('.damaged-')),
  );
  assert.ok(aside.length > 0, 'what was damaged is kept for people to look at');
});

test('suspect: it says so in its log and in its status, and says when it is healed', async () => {
  await using cluster = await ProcessCluster.start(3);
  const [node, ...others] = cluster.nodes;
  assert.ok(node !== undefined);
  for (let i = 0; i < 50; i++) await fetch(`${node.url}/v1/kv/k${i}`, { method: 'PUT', body: 'x' });
  await new Promise((resolve) => setTimeout(resolve, receiptQuietMs));
  for (const one of cluster.nodes) await one.kill();
  damageJournal(node.spec.dataDir, 'log', seededRandom(1));
  // Alone it is nobody's follower, and stays what it is.
  node.start();
  const [error] = await eventually('it tells that it is suspect', 10_000, async () => {
    const errors = await errorsOf(node);
    return errors.some((text) => text.startsWith('suspect: ')) ? errors : undefined;
  });
  assert.match(
    error ?? '',
    /^suspect: this member lost something that it had acknowledged, and abstains from elections/,
  );
  for (const other of others) other.start();
  await eventually('it is healed', 20_000, async () => (await errorsOf(node)).length === 0);
  const log = (): string => readFileSync(node.logPath, 'utf8');
  await eventually('its log tells so', 5000, async () => log().includes('healed: this member votes again'));
  assert.match(log(), /log damaged: this member begins with an empty one/);
});

test('suspect: a lone node with a damaged log refuses to start, and says what is missing and what to do', async () => {
  const refusal = await refusalOfLoneDamagedNode(3);
  assert.match(refusal, /it does not start.*restored from a backup/);
});

async function errorsOf(node: NodeProcess): Promise<readonly string[]> {
  const status = (await (await node.get('/v1/status')).json()) as { errors: readonly string[] };
  return status.errors;
}
