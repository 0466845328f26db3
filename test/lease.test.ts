import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventCollector } from './checking/event-log.ts';
import { checkLeases } from './model/lease-checker.ts';
import { LeaseLoad } from './support/lease-load.ts';
import { eventually, type NodeProcess, ProcessCluster } from './support/processes.ts';
import { inTurn, send, sendUntilAnswered } from './support/send.ts';
import { Watcher } from './support/watcher.ts';

const ttl = 3;

test('lease: one that is kept alive survives three leaders, and once it is let go it ends, and its keys go with it', async (t) => {
  await using cluster = await ProcessCluster.start(3);
  await using watcher = new Watcher({ nodes: cluster.nodes, target: { prefix: 'held/' }, revision: 2 });
  const id = await grant(cluster.node(0), ttl);
  const keys = ['held/a', 'held/b', 'held/c'];
  for (const key of keys) await put(cluster.node(0), `${key}?lease=${id}`);

  const keeper = new Keeper(cluster.nodes, id);
  t.after(() => keeper.stop());
  for (let round = 0; round < 3; round++) {
    const leader = await cluster.leader();
    await leader.kill();
    const ledAtMs = await cluster.leader().then(() => performance.now());
    await eventually('the new leader keeps it alive', 15_000, async () => keeper.lastMs > ledAtMs);
    leader.start();
    await cluster.ready();
  }
  const afterMs = performance.now();
  // By then nothing that was promised before the last leader counts any more.
  await eventually('it was kept alive beyond its time', 15_000, async () => keeper.lastMs > afterMs + ttl * 1000);
  assert.deepEqual(
    watcher.batches.flatMap(({ events }) => events.map(({ type }) => type)),
    ['put', 'put', 'put'],
  );
  assert.deepEqual(keeper.refusals, []);

  await keeper.stop();
  const [deletion] = await eventually('its keys are gone', 15_000, async () => {
    const deletions = watcher.batches.filter(({ events }) => events[0]?.type === 'delete');
    return deletions.length > 0 && deletions;
  });
  const atMs = performance.now();
  assert.deepEqual(
    deletion?.events.map(({ kv }) => `${Buffer.from(kv.key)}`),
    keys,
    'all in one revision',
  );
  assert.ok(atMs >= keeper.lastMs + ttl * 1000, 'it must have had all its time since it was last kept alive');
  const leftMs = atMs - keeper.lastMs;
  assert.ok(leftMs < ttl * 1000 + 2000, `it ended only ${leftMs.toFixed()} ms after it was let go`);
  const answer = await cluster.node(1).get(`/v1/leases/${id}`);
  assert.equal(answer.status, 404);
});

test('lease: while leaders are killed, none of many ends early or lives on, and what is revoked goes at once', async (t) => {
  await using cluster = await ProcessCluster.start(3);
  const seed = 20261121;
  const collector = new EventCollector();
  await using load = new LeaseLoad(cluster.nodes, { clients: 6, seed, ttls: [2, 3], renewalsMax: 6, openMs: 2000 });
  const watchers = cluster.nodes.map((_, first) => {
    const nodes = inTurn(cluster.nodes, first);
    const onBatch = (batch: Parameters<typeof load.onBatch>[0]): void => {
      collector.add(batch);
      load.onBatch(batch);
    };
    return new Watcher({ nodes, target: { prefix: '' }, revision: 2, onBatch });
  });
  t.after(() => Promise.all(watchers.map((watcher) => watcher[Symbol.asyncDispose]())));
  for (let round = 0; round < 2; round++) {
    const leader = await cluster.leader();
    await leader.kill();
    const before = load.granted;
    await eventually('leases are granted again', 15_000, async () => load.granted > before + 3);
    leader.start();
    await cluster.ready();
  }
  await load.stop();
  await eventually('all leases have ended', 20_000, async () => load.alive === 0);
  const history = load.history();
  const wrong = checkLeases(history, { lateMs: 3000, perLeaderChange: 'fullTtl' });
  assert.equal(wrong, undefined, `seed ${seed}: ${wrong}`);
  const { revisions } = collector.log(0);
  assert.equal(load.check(revisions), undefined, `seed ${seed}`);
  const answer = await cluster.node(0).get('/v1/leases');
  assert.deepEqual(((await answer.json()) as { leases: unknown }).leases, []);
  t.diagnostic(`${load.granted} leases, ${load.renewals} renewals, ${history.leaderChangesMs.length} leaders`);
  assert.ok(history.leases.some(({ renewals }) => renewals.length > 3));
});

test('lease: a node that stood still longer than their time ends no lease that was kept alive meanwhile', async (t) => {
  await using cluster = await ProcessCluster.start(3);
  const id = await grant(cluster.node(0), ttl);
  await put(cluster.node(0), `held/a?lease=${id}`);
  const leader = await cluster.leader();
  const keeper = new Keeper(
    cluster.nodes.filter((node) => node !== leader),
    id,
  );
  t.after(() => keeper.stop());
  const pausedAtMs = performance.now();
  leader.signal('SIGSTOP');
  await eventually(
    'it was kept alive beyond its time',
    15_000,
    async () => keeper.lastMs > pausedAtMs + ttl * 1000 + 1000,
  );
  leader.signal('SIGCONT');
  const wokenAtMs = performance.now();
  await eventually('it was kept alive on', 15_000, async () => keeper.lastMs > wokenAtMs + ttl * 1000);
  await keeper.stop();
  assert.deepEqual(keeper.refusals, []);
  assert.equal(await (await leader.get('/v1/kv/held/a')).text(), 'x');
});

/** Keeps one lease alive through any node that answers. */
class Keeper {
  /** When the last keep-alive was sent that was acknowledged. */
  lastMs = performance.now();
  /** What was told that was no acknowledgement, but for nodes that do not answer. */
  readonly refusals: string[] = [];
  readonly #nodes: readonly NodeProcess[];
  readonly #id: string;
  readonly #running: Promise<void>;
  #stopping = false;

  constructor(nodes: readonly NodeProcess[], id: string) {
    this.#nodes = nodes;
    this.#id = id;
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    for (let i = 0; !this.#stopping; i++) {
      const url = `${this.#nodes[i % this.#nodes.length]?.url}/v1/leases/${this.#id}/keepalive?timeout=500ms`;
      const startMs = performance.now();
      const answer = await send(url, { method: 'POST' }, [200, 404]);
      if (typeof answer !== 'string' && answer.status === 200) {
        this.lastMs = startMs;
        await new Promise((resolve) => setTimeout(resolve, (ttl * 1000) / 6));
      } else if (typeof answer !== 'string') {
        this.refusals.push(answer.text);
      }
    }
  }
}

async function grant(node: NodeProcess, seconds: number): Promise<string> {
  const request = { method: 'POST', body: JSON.stringify({ ttl: seconds }), token: 'grant' };
  const { answer } = await sendUntilAnswered([node], '/v1/leases', request, [201]);
  return (JSON.parse(answer.text) as { id: string }).id;
}

async function put(node: NodeProcess, path: string): Promise<void> {
  const answer = await fetch(`${node.url}/v1/kv/${path}`, { method: 'PUT', body: 'x' });
  assert.ok(answer.ok, await answer.text());
}
