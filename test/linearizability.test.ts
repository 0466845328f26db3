import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkLinearizable, describeVerdict } from './checking/linearizability.ts';
import { HistoryLoad } from './support/history-load.ts';
import { ProcessCluster } from './support/processes.ts';

test('linearizable: concurrent clients of all nodes, while leaders are killed, paused and started again', async () => {
  await using cluster = await ProcessCluster.start(3);
  const seed = 4711;
  await using load = new HistoryLoad(cluster.nodes, { clients: 8, keys: 3, seed });
  for (let round = 0; round < 6; round++) {
    const leader = await cluster.leader();
    await more(load, 150);
    if (round % 3 === 2) {
      // Longer than an election takes: it wakes up and believes that it still leads.
      leader.signal('SIGSTOP');
      await more(load, 20);
      leader.signal('SIGCONT');
    } else {
      await leader.kill();
      await more(load, 150);
      leader.start();
    }
    await cluster.ready();
  }
  await load.stop();
  const verdict = checkLinearizable(load.history);
  if (!verdict.linearizable) cluster.keepDirectories();
  assert.ok(verdict.linearizable, `seed ${seed}: ${describeVerdict(verdict)}`);
  const kinds = new Set(load.history.map(({ action }) => action.kind));
  assert.equal(kinds.size, 5, 'every kind of request took part');
});

/** Until the clients were told of that many further operations, as they can be while a majority runs. */
async function more(load: HistoryLoad, count: number): Promise<void> {
  const target = load.history.length + count;
  while (load.history.length < target) await new Promise((resolve) => setTimeout(resolve, 20));
}
