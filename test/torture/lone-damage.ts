import { readFileSync } from 'node:fs';
import { seededRandom } from '../../src/base/random.ts';
import { eventually, ProcessCluster } from '../support/processes.ts';
import { damageJournal, receiptQuietMs } from './damage.ts';

/** A node that is a cluster of its own has nobody to be healed by: it must not start from a damaged log. Why it did not. */
export async function refusalOfLoneDamagedNode(seed: number): Promise<string> {
  await using cluster = await ProcessCluster.start(1);
  const node = cluster.node(0);
  for (let i = 0; i < 50; i++) await fetch(`${node.url}/v1/kv/k${i}`, { method: 'PUT', body: 'x'.repeat(100) });
  // A loss of what was written in the last moments before a kill cannot be told from a write that the kill cut off.
  await new Promise((resolve) => setTimeout(resolve, receiptQuietMs));
  await node.kill();
  damageJournal(node.spec.dataDir, 'log', seededRandom(seed));
  node.start();
  await eventually('it refuses to start', 10_000, async () => !node.isRunning);
  const { code } = await node.exited();
  if (code !== 1) throw new Error(`a lone node with a damaged log ended with ${code}`);
  const lines = readFileSync(node.logPath, 'utf8').trim().split('\n');
  return lines.at(-1) ?? '';
}
