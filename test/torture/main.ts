import yargs from 'yargs';
import { refusalOfLoneDamagedNode } from './lone-damage.ts';
import { torture } from './torture.ts';

const options = await yargs(process.argv.slice(2))
  .scriptName('npm run torture --')
  .usage('$0 [flags]\n\nReal processes under load, while they are killed, stopped, cut off, and their disks damaged.')
  .options({
    minutes: { type: 'number', default: 10, describe: 'in all' },
    members: { type: 'number', choices: [3, 5], describe: 'otherwise 3 for half of the time, and then 5' },
    seed: { type: 'number', default: Date.now() % 1_000_000, describe: 'which faults, and when' },
  })
  .strict()
  .parseAsync();

console.log(`seed ${options.seed}`);
console.log(`a lone damaged node refuses to start: ${await refusalOfLoneDamagedNode(options.seed)}`);
const sizes = options.members === undefined ? [3, 5] : [options.members];
const totals = new Map<string, number>();
const add = (what: string, count: number): void => void totals.set(what, (totals.get(what) ?? 0) + count);
let failure: string | undefined;
for (const members of sizes) {
  if (failure !== undefined) break;
  console.log(`\n${members} members`);
  const durationMs = (options.minutes * 60_000) / sizes.length;
  const say = (line: string): void => console.log(line);
  const result = await torture({ members, durationMs, seed: options.seed, haste: 1, replaces: true, say });
  failure = result.failure;
  for (const [what, count] of result.counts) add(what, count);
}
console.log(`\n| | |\n|---|---:|`);
for (const [what, count] of totals) console.log(`| ${what} | ${count} |`);
console.log(
  failure === undefined
    ? '\nNothing was lost, and nobody was told what is wrong.'
    : `\nFAILED (seed ${options.seed}): ${failure}`,
);
process.exit(failure === undefined ? 0 : 1);
