import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { agreedContents } from './support/contents.ts';
import { eventually, type NodeProcess, ProcessCluster } from './support/processes.ts';
import { WriteLoad } from './support/write-load.ts';

/**
 * How long no write may be acknowledged in a step. A leader that hands over, or is asked for a change, goes on writing
 * until then; what costs time is the kill. The others notice it by its silence, each after one to two election timeouts,
 * drawn anew each time: whoever is the last of them to notice asks others that have all noticed, so the first election
 * that can succeed begins within two. One whose votes are split elects nobody, and its candidates try again within one more:
 * such a term is in no member's journal as one with a leader.
 */
const electionTimeoutMs = 1000;
/** Pre-votes, votes and the first entry, each with its round trip and most with a disk, while three processes start. */
const electionItselfMs = 500;
/** Of `WriteLoad`, after a write that failed. */
const clientPauseMs = 10;

interface Step {
  readonly what: string;
  readonly gapMs: number;
  readonly fromTerm: number;
  readonly toTerm: number;
}

test('members: 3 → 5 → 3, and each founder replaced, under load and with a kill in each step: nothing is lost', async (t) => {
  const flags = ['--snapshot-count=200', `--election-timeout=${electionTimeoutMs}`, '--heartbeat-interval=100'];
  await using cluster = await ProcessCluster.start(3, flags);
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

  const all = new Set(founders);
  const steps: Step[] = [];
  const step = async (what: string, change: () => Promise<void>): Promise<void> => {
    const [fromMs, fromTerm] = [performance.now(), await termOf(cluster)];
    await change();
    const acknowledged = load.acknowledged();
    await eventually('writes go on after the step', 10_000, async () => load.acknowledged() > acknowledged);
    steps.push({ what, gapMs: load.longestGapMs(fromMs), fromTerm, toTerm: await termOf(cluster) });
    for (const node of cluster.nodes) all.add(node);
  };

  await step('3 → 4', grow);
  await step('4 → 5', grow);
  assert.equal(cluster.nodes.length, 5);
  await step('5 → 4', () => shrink(founders[0] as NodeProcess));
  await step('4 → 3', () => shrink(founders[1] as NodeProcess));
  assert.equal(cluster.nodes.length, 3);
  await step('3 → 4, to replace', grow);
  await step('4 → 3, the one that is replaced', () => shrink(founders[2] as NodeProcess));

  await cluster.ready();
  const before = load.acknowledged();
  await eventually('writes go on', 10_000, async () => load.acknowledged() > before + 100);
  await load.stop();
  t.diagnostic(`${load.acknowledged()} of ${load.records.length} writes acknowledged`);
  await assertNothingLost(cluster, load);
  const ledTerms = new Set([...all].flatMap(termsWithLeader));
  for (const { what, gapMs, fromTerm, toTerm } of steps) {
    const terms = Array.from({ length: toTerm - fromTerm }, (_, i) => fromTerm + 1 + i);
    const splits = terms.filter((term) => !ledTerms.has(term)).length;
    t.diagnostic(`${what}: ${Math.round(gapMs)} ms without a write, ${terms.length} terms, ${splits} without a leader`);
    const gapMsMax = (2 + splits) * electionTimeoutMs + (1 + splits) * electionItselfMs + clientPauseMs;
    assert.ok(gapMs <= gapMsMax, `${what}: no write for ${Math.round(gapMs)} ms, more than ${gapMsMax}`);
  }
});

async function termOf(cluster: ProcessCluster): Promise<number> {
  const status = await (await cluster.leader()).get('/v1/status');
  const { raftTerm } = (await status.json()) as { readonly raftTerm: number };
  return raftTerm;
}

/** As the member's journal has them. */
function termsWithLeader({ logPath }: NodeProcess): readonly number[] {
  const lines = readFileSync(logPath, 'utf8').split('\n');
  const elected = lines.filter((line) => line.includes('"event":"leader elected"'));
  return elected.map((line) => (JSON.parse(line) as { readonly term: number }).term);
}

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
