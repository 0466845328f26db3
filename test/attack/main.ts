import yargs from 'yargs';
import { ProcessCluster } from '../support/processes.ts';
import { attack } from './attack.ts';
import { cancelCalls } from './cancellations.ts';
import { attacks } from './http2-attacks.ts';
import { collectable } from './vitals.ts';

const options = await yargs(process.argv.slice(2))
  .scriptName('npm run attack --')
  .usage('$0 [flags]\n\nHostile clients of real nodes: what they do must harm nobody else, and leave nothing behind.')
  .options({
    minutes: { type: 'number', default: 10, describe: 'hostile HTTP/2 and gRPC against the leader of three' },
    connections: { type: 'number', default: 8, describe: 'hostile ones, at a time' },
    only: { type: 'string', choices: attacks.map(({ name }) => name), describe: 'this attack alone' },
    cancellations: { type: 'number', describe: 'instead: calls that are given up, of a single node and of a follower' },
    seed: { type: 'number', default: Date.now() % 1_000_000, describe: 'the same seed does the same things' },
  })
  .strict()
  .parseAsync();

const { seed, connections, only } = options;
console.log(`seed ${seed}`);
const say = (line: string): void => console.log(line);
const problems = options.cancellations === undefined ? await underAttack() : await cancellations(options.cancellations);
for (const problem of problems) console.log(`FAILED (seed ${seed}): ${problem}`);
if (problems.length === 0) console.log('Nobody was harmed, and nothing was left behind.');
process.exit(problems.length === 0 ? 0 : 1);

async function underAttack(): Promise<readonly string[]> {
  const { figures, problems } = await attack({ durationMs: options.minutes * 60_000, seed, connections, only, say });
  show(figures);
  return problems;
}

async function cancellations(requests: number): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const size of [1, 3]) {
    const where = size === 1 ? 'a single node' : 'a follower of three';
    console.log(`\n${where}`);
    await using cluster = await ProcessCluster.prepare(size, [
      '--auto-compaction-mode=revision',
      '--auto-compaction-retention=1000',
    ]);
    for (const node of cluster.nodes) node.start(collectable);
    await cluster.ready();
    const leader = await cluster.leader();
    const node = cluster.nodes.find((candidate) => candidate !== leader) ?? leader;
    const { counts, before, after, problem } = await cancelCalls(node, { requests, seed, say });
    const names = [
      'connections',
      'calls',
      'watchers',
      'views',
      'exports',
      'pendingWrites',
      'leases',
      'sockets',
    ] as const;
    show([...counts, ...names.map((name) => [`${name} (before, after)`, `${before[name]}, ${after[name]}`] as const)]);
    if (problem !== undefined) problems.push(`${where}: ${problem}`);
  }
  return problems;
}

function show(figures: Iterable<readonly [string, string | number]>): void {
  console.log('\n| | |\n|---|---:|');
  for (const [what, figure] of figures) console.log(`| ${what} | ${figure} |`);
}
