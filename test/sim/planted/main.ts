import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import yargs from 'yargs';
import { type PlantedBug, plantedBugs } from './bugs.ts';
import type { Catch } from './hunt.ts';
import { plant } from './plant.ts';

const options = await yargs(process.argv.slice(2))
  .scriptName('npm run sim:planted --')
  .usage(
    '$0 [flags]\n\nPlants real mistakes, one at a time, into a copy of the code, and has the simulator look for them.',
  )
  .options({
    seeds: { type: 'number', default: 2000, describe: 'how many seeds it may take' },
    only: { type: 'string', describe: 'bugs whose name contains this' },
    jobs: { type: 'number', default: availableParallelism(), describe: 'processes' },
  })
  .strict()
  .parseAsync();

const bugs = plantedBugs.filter(({ name }) => name.includes(options.only ?? ''));
const caught = new Map<PlantedBug, Catch>();
const left = [...bugs];
await Promise.all(
  Array.from({ length: options.jobs }, async () => {
    for (let bug = left.shift(); bug !== undefined; bug = left.shift()) {
      const result = await hunt(bug);
      caught.set(bug, result);
      console.log(`${caught.size}/${bugs.length} ${bug.name}: ${describe(result)}`);
    }
  }),
);

console.log('\n| planted bug | what it does wrong | caught after | by the rule |\n|---|---|---:|---|');
for (const bug of bugs) {
  const { seeds, rule } = caught.get(bug) ?? { seeds: undefined, rule: '' };
  console.log(`| ${bug.name} | ${bug.what} | ${seeds === undefined ? 'never' : `${seeds} seeds`} | ${rule} |`);
}
const missed = bugs.filter((bug) => caught.get(bug)?.seeds === undefined);
console.log(`\n${bugs.length - missed.length} of ${bugs.length} caught within ${options.seeds} seeds`);
process.exitCode = missed.length > 0 ? 1 : 0;

async function hunt(bug: PlantedBug): Promise<Catch> {
  using copy = plant(bug);
  const args = ['--import', 'tsx', join(copy.directory, 'test/sim/planted/hunt.ts'), String(options.seeds)];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: copy.directory });
  return JSON.parse(stdout) as Catch;
}

function describe({ seeds, rule }: Catch): string {
  return seeds === undefined ? `NOT caught within ${options.seeds} seeds` : `caught by seed ${seeds}: ${rule}`;
}
