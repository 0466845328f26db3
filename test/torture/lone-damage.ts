import { readFileSync } from 'node:fs';
import { seededRandom } from '../../src/base/random.ts';
import { eventually, ProcessCluster } from '../support/processes.ts';
import { damageJournal } from './damage.ts';

/** A node that is a cluster of its own has nobody to be healed by: it must not start from a damaged log. Why it did not. */
export async function refusalOfLoneDamagedNode(seed: number): Promise<string> {
  await using cluster = await ProcessCluster.start(1);
  const node = cluster.node(0);
  for (let i = 0; i < 50; i++) await fetch(`${node.url}/v1/kv/k${i}`, { method: 'PUT', body: 'x'.repeat(100) });
  await eventually('its receipt has caught up', 5000, async () => (await node.get('/readyz')).ok);
  await node.kill();
  damageJournal(node.spec.dataDir, 'log', seededRandom(seed));
  node.start();
  const { code } = await node.exited();
  if (code === 0 || code === null) throw new Error(`a lone node with a damaged log ended with ${code}`);
  const lines = readFileSync(node.logPath, 'utf8').trim().split('\n');
  return lines.at(-1) ?? '';
}
