import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agreedContents } from './support/contents.ts';
import { eventually, type NodeProcess, ProcessCluster } from './support/processes.ts';
import { WriteLoad } from './support/write-load.ts';

/** `KILLS=20 …` for more of them. */
const kills = Number(process.env['KILLS'] ?? 8);

test('durability: the leader is killed again and again under load, and no acknowledged write is missing', async (t) => {
  await using cluster = await ProcessCluster.start(3);
  await using load = new WriteLoad(cluster.nodes, 8);
  const gapsMs: number[] = [];
  for (let round = 1; round <= kills; round++) {
    const leader = await cluster.leader();
    const killedAtMs = performance.now();
    await leader.kill();
    gapsMs.push(await untilNextWrite(load, killedAtMs));
    leader.start();
    await cluster.ready();
  }
  await load.stop();
  await assertNothingLost(cluster, load);
  t.diagnostic(`${load.acknowledged()} writes acknowledged; write gaps after the kills: ${summary(gapsMs)}`);
  assert.ok(Math.max(...gapsMs) <= 3000, `a write has to succeed within 3 s of each kill: ${summary(gapsMs)}`);
});

test('durability: all three nodes are killed at once under load, and no acknowledged write is missing', async (t) => {
  await using cluster = await ProcessCluster.start(3);
  for (let round = 1; round <= 3; round++) {
    await using load = new WriteLoad(cluster.nodes, 8);
    await eventually('writes flow', 10_000, async () => load.acknowledged() > 200);
    await Promise.all(cluster.nodes.map((node) => node.kill()));
    await load.stop();
    for (const node of cluster.nodes) node.start();
    await cluster.ready();
    await assertNothingLost(cluster, load);
    t.diagnostic(`round ${round}: ${load.acknowledged()} writes acknowledged`);
    await clear(cluster.node(0));
  }
});

test('durability: a node is stopped for 10 s and goes on, and no read or write was wrong', async () => {
  await using cluster = await ProcessCluster.start(3);
  await using load = new WriteLoad(cluster.nodes, 8);
  await eventually('writes flow', 10_000, async () => load.acknowledged() > 100);
  const paused = await cluster.leader();
  const pausedAtMs = performance.now();
  paused.signal('SIGSTOP');
  const others = cluster.nodes.filter((node) => node !== paused);
  // Those who ask the sleeping node wait for it; the others must be served.
  await using probe = new WriteLoad(others, 1, 'probe');
  const gapMs = await untilNextWrite(probe, pausedAtMs);
  assert.ok(gapMs <= 3000, `a write has to succeed within 3 s: ${gapMs.toFixed()} ms`);
  // The pause itself is what is tried here, so this one waits for time.
  await new Promise((resolve) => setTimeout(resolve, 10_000 - (performance.now() - pausedAtMs)));
  const written = await fetch(`${others[0]?.url}/v1/kv/while-paused`, { method: 'PUT', body: 'yes' });
  assert.equal(written.status, 201);
  paused.signal('SIGCONT');
  const read = await paused.get('/v1/kv/while-paused?timeout=10s', 15_000);
  assert.equal(await read.text(), 'yes', 'a leader that slept must not answer from its old state');
  await probe.stop();
  await assertNothingLost(cluster, probe);
  await load.stop();
  await assertNothingLost(cluster, load);
});

test('durability: a node that was down catches up with what it missed', async () => {
  await using cluster = await ProcessCluster.start(3);
  const leader = await cluster.leader();
  const follower = cluster.nodes.find((node) => node !== leader) ?? leader;
  await follower.kill();
  await using load = new WriteLoad(
    cluster.nodes.filter((node) => node !== follower),
    8,
  );
  await eventually('writes flow', 20_000, async () => load.acknowledged() > 1000);
  await load.stop();
  follower.start();
  await cluster.ready();
  await assertNothingLost(cluster, load);
});

async function assertNothingLost(cluster: ProcessCluster, load: WriteLoad): Promise<void> {
  try {
    const { values } = await agreedContents(cluster.nodes);
    for (const record of load.records) {
      const found = values.get(record.key);
      if (record.outcome === 'acknowledged') {
        assert.equal(found, `${record.revision} ${record.value}`, `${record.key} was acknowledged`);
      }
      if (record.outcome === 'refused') assert.equal(found, undefined, `${record.key} was refused as not executed`);
    }
    assert.deepEqual(load.violations, []);
    assert.ok(load.acknowledged() > 0);
  } catch (reason) {
    throw new Error(`see ${cluster.keepDirectories()}`, { cause: reason });
  }
}

/** Milliseconds from `sinceMs` to the next write acknowledged. */
async function untilNextWrite(load: WriteLoad, sinceMs: number): Promise<number> {
  const before = load.records.length;
  await eventually('a write succeeds again', 15_000, async () =>
    load.records.slice(before).some(({ outcome }) => outcome === 'acknowledged'),
  );
  return performance.now() - sinceMs;
}

async function clear(node: NodeProcess): Promise<void> {
  const answer = await fetch(`${node.url}/v1/kv?prefix=load/`, { method: 'DELETE' });
  assert.equal(answer.status, 200);
}

function summary(ms: readonly number[]): string {
  return ms.map((one) => one.toFixed()).join(', ');
}
