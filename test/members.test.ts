import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agreedContents } from './support/contents.ts';
import { eventually, type NodeProcess, ProcessCluster } from './support/processes.ts';
import { WriteLoad } from './support/write-load.ts';

test('members: 3 → 5 → 3, and each founder replaced, under load and with a kill in each step: nothing is lost', async (t) => {
  await using cluster = await ProcessCluster.start(3, ['--snapshot-count=200']);
  const founders = [...cluster.nodes];
  await using load = new WriteLoad(cluster.nodes, 4);
  await eventually('the log has been truncated', 30_000, async () => load.acknowledged() > 600);
  const grow = async (): Promise<void> => {
    const joined = await cluster.join();
    await eventually(`${joined.spec.name} is added`, 30_000, async () => (await roleOf(joined, cluster)) !== undefined);
    await killLeader(cluster);
    await eventually(`${joined.spec.name} votes`, 30_000, async () => (await roleOf(joined, cluster)) === 'voter');
  };
  const shrink = async (founder: NodeProcess): Promise<void> => {
    const others = cluster.nodes.filter((node) => node !== founder);
    const removed = cluster.remove(founder, others[0] as NodeProcess);
    const [code] = [(await founder.exited()).code];
    await removed;
    assert.equal(code, 1, 'a member that was removed says so and ends');
    await killLeader(cluster);
  };

  await grow();
  await grow();
  assert.equal(cluster.nodes.length, 5);
  await shrink(founders[0] as NodeProcess);
  await shrink(founders[1] as NodeProcess);
  assert.equal(cluster.nodes.length, 3);
  await grow();
  await shrink(founders[2] as NodeProcess);

  await cluster.ready();
  const before = load.acknowledged();
  await eventually('writes go on', 10_000, async () => load.acknowledged() > before + 100);
  await load.stop();
  t.diagnostic(`${load.acknowledged()} of ${load.records.length} writes acknowledged`);
  await assertNothingLost(cluster, load);
});

/** It comes back at once. */
async function killLeader(cluster: ProcessCluster): Promise<void> {
  const leader = await cluster.leader();
  await leader.kill();
  leader.start();
  await cluster.ready();
}

async function roleOf(node: NodeProcess, cluster: ProcessCluster): Promise<string | undefined> {
  const answer = await (await cluster.leader()).get('/v1/cluster');
  const { members } = (await answer.json()) as { readonly members: readonly { name: string; role: string }[] };
  return members.find(({ name }) => name === node.spec.name)?.role;
}

async function assertNothingLost(cluster: ProcessCluster, load: WriteLoad): Promise<void> {
  try {
    const { values } = await agreedContents(cluster.nodes);
    for (const { key, value, outcome, revision } of load.records) {
      if (outcome === 'acknowledged') assert.equal(values.get(key), `${revision} ${value}`, `${key} was acknowledged`);
      if (outcome === 'refused') assert.equal(values.get(key), undefined, `${key} was refused as not executed`);
    }
    assert.deepEqual(load.violations, []);
  } catch (reason) {
    throw new Error(`see ${cluster.keepDirectories()}`, { cause: reason });
  }
}
