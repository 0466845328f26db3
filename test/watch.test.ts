import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkEventLog, EventCollector } from './checking/event-log.ts';
import { WatchChecker } from './model/watch-checker.ts';
import { eventually, type NodeProcess, ProcessCluster } from './support/processes.ts';
import { inTurn } from './support/send.ts';
import type { WatchForm } from './support/watch-messages.ts';
import { Watcher } from './support/watcher.ts';
import { WriteLoad } from './support/write-load.ts';

const forms: readonly WatchForm[] = ['text/event-stream', 'application/x-ndjson'];

test('watch: survives the death of its node again and again by going on at another, and misses nothing', async (t) => {
  await using cluster = await ProcessCluster.start(3);
  await using recorder = new Recorder(cluster.nodes);
  const watchers = cluster.nodes.flatMap((_, first) =>
    forms.map(
      (form) => new Watcher({ nodes: inTurn(cluster.nodes, first), target: { prefix: 'load/' }, form, revision: 2 }),
    ),
  );
  t.after(() => leave(watchers));
  await using load = new WriteLoad(cluster.nodes, 4);
  for (const node of cluster.nodes) {
    const before = load.acknowledged();
    await node.kill();
    await eventually('writes flow without it', 10_000, async () => load.acknowledged() > before + 50);
    node.start();
    await cluster.ready();
  }
  await load.stop();
  const revision = await recorder.finish(cluster);
  await Promise.all(watchers.map((watcher) => watcher.until(revision)));

  const checker = recorder.checker(0);
  for (const watcher of watchers) {
    assert.equal(watcher.chains.length, 1, 'nothing was compacted');
    assert.equal(checker.checkResumed(watcher.chains[0] ?? []), undefined);
    assert.ok(watcher.parts >= 2, 'its node was killed, so it had to begin again');
  }
  const told = new Map(recorder.values());
  for (const { key, value, outcome } of load.records) {
    if (outcome === 'acknowledged') assert.equal(told.get(key), value, `${key} was acknowledged, and nobody was told`);
    if (outcome === 'refused') assert.equal(told.get(key), undefined, `${key} was refused as not executed`);
  }
  t.diagnostic(`${revision} revisions, ${watchers.map(({ parts }) => parts).join(', ')} watches`);
});

test('watch: on a node whose peers stand still it ends with an error that says to go on elsewhere', async (t) => {
  await using cluster = await ProcessCluster.start(3);
  const leader = await cluster.leader();
  const alone = cluster.nodes.find((node) => node !== leader) ?? leader;
  const others = cluster.nodes.filter((node) => node !== alone);
  await using recorder = new Recorder(others);
  await put(alone, 'before');
  const watchers = forms.map((form) => new Watcher({ nodes: [alone], target: { prefix: 'k/' }, form, revision: 2 }));
  t.after(() => leave(watchers));
  await eventually('all were told', 5000, async () => watchers.every(({ batches }) => batches.length === 1));

  const stoppedAtMs = performance.now();
  for (const other of others) other.signal('SIGSTOP');
  await eventually('both were ended', 10_000, async () => watchers.every(({ ends }) => ends.length > 0));
  for (const { ends } of watchers) assert.deepEqual([ends[0]?.code, ends[0]?.retryable], ['no_leader', true]);
  // Noticing takes up to two election timeouts, and a third one has to pass without a leader.
  const tookMs = performance.now() - stoppedAtMs;
  assert.ok(tookMs < 5000, `they were told after ${tookMs.toFixed()} ms`);

  for (const other of others) other.signal('SIGCONT');
  await cluster.ready();
  await put(others[0] ?? alone, 'after');
  const revision = await recorder.finish(cluster);
  await Promise.all(watchers.map((watcher) => watcher.until(revision)));
  for (const watcher of watchers) assert.equal(recorder.checker(0).checkResumed(watcher.chains[0] ?? []), undefined);
});

test('watch: a reader that stands still is caught up, and the others do not wait for it', async (t) => {
  await using cluster = await ProcessCluster.start(3);
  const [node] = cluster.nodes;
  assert.ok(node);
  let isResting = true;
  const slow = new Watcher({
    nodes: [node],
    target: { prefix: 'k/' },
    revision: 2,
    restMs: () => (isResting ? 100 : 0),
  });
  await slow.opened();
  const quick = new Watcher({ nodes: [node], target: { prefix: 'k/' }, revision: 2 });
  t.after(() => leave([slow, quick]));
  await using recorder = new Recorder(cluster.nodes);
  // More than the buffers of two sockets take, so that the server has to stop writing to it.
  const count = 25;
  for (let i = 0; i < count; i++) await put(node, `${i} ${'x'.repeat(1_000_000)}`, `k/${i}`);
  await eventually('the quick one was told', 20_000, async () => quick.batches.length === count);
  assert.ok(slow.batches.length < count, 'the slow one must have fallen behind, or this shows nothing');
  t.diagnostic(`the slow one was told ${slow.batches.length} of ${count} by then`);
  isResting = false;
  const revision = await recorder.finish(cluster);
  for (const watcher of [slow, quick]) {
    await watcher.until(revision);
    assert.equal(recorder.checker(0).checkResumed(watcher.chains[0] ?? []), undefined);
    assert.equal(watcher.parts, 1, 'it was never cut off');
  }
});

test('watch: one that asks for what is compacted is told so on every node, and from when on it can watch', async (t) => {
  await using cluster = await ProcessCluster.start(3);
  await using recorder = new Recorder(cluster.nodes);
  for (let i = 0; i < 20; i++) await put(cluster.node(0), `${i}`);
  const compacted = await fetch(`${cluster.node(1).url}/v1/compact`, {
    method: 'POST',
    body: JSON.stringify({ revision: 12 }),
  });
  assert.equal(compacted.status, 200, await compacted.text());
  const watchers = cluster.nodes.flatMap((node) =>
    forms.map(
      (form) => new Watcher({ nodes: [node], target: { prefix: 'k/' }, form, revision: 5, compacted: () => 12 }),
    ),
  );
  t.after(() => leave(watchers));
  const revision = await recorder.finish(cluster);
  await Promise.all(watchers.map((watcher) => watcher.until(revision)));
  for (const watcher of watchers) {
    const [first, second] = watcher.chains;
    assert.deepEqual(first?.[0]?.seen, [{ kind: 'compacted', compactRevision: 12 }]);
    assert.equal(recorder.checker(12).checkResumed(first ?? []), undefined);
    assert.equal(recorder.checker(12).checkResumed(second ?? []), undefined);
    assert.equal(watcher.batches[0]?.revision, 12);
  }
});

/** Watches everything from the beginning, so that there is a log to hold other watchers against. */
class Recorder implements AsyncDisposable {
  readonly #collector = new EventCollector();
  readonly #watchers: readonly Watcher[];

  constructor(nodes: readonly NodeProcess[]) {
    this.#watchers = nodes.map((_, first) => {
      const target = { prefix: '' };
      const onBatch = this.#collector.add.bind(this.#collector);
      return new Watcher({ nodes: inTurn(nodes, first), target, revision: 2, onBatch });
    });
  }

  /** Until it knows all that has happened; the last revision. */
  async finish(cluster: ProcessCluster): Promise<number> {
    await cluster.ready();
    const answer = await cluster.node(0).get('/v1/kv?prefix=&countOnly=true');
    const revision = Number(answer.headers.get('balsa-revision'));
    await Promise.all(this.#watchers.map((watcher) => watcher.until(revision)));
    assert.equal(checkEventLog(this.#collector.log(0)), undefined);
    assert.equal(this.#collector.collectedTo, revision);
    return revision;
  }

  checker(compactRevision: number): WatchChecker {
    return new WatchChecker(this.#collector.log(compactRevision));
  }

  /** Keys and values that were put. */
  *values(): Generator<[string, string]> {
    for (const { events } of this.#collector.log(0).revisions) {
      for (const { kv } of events) yield [Buffer.from(kv.key).toString(), Buffer.from(kv.value).toString()];
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await leave(this.#watchers);
  }
}

async function leave(watchers: readonly Watcher[]): Promise<void> {
  await Promise.all(watchers.map((watcher) => watcher[Symbol.asyncDispose]()));
}

async function put(node: NodeProcess, value: string, key = 'k/1'): Promise<void> {
  const answer = await fetch(`${node.url}/v1/kv/${key}`, { method: 'PUT', body: value });
  assert.ok(answer.ok, await answer.text());
}
