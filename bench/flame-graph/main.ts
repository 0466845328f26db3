import { readFileSync } from 'node:fs';
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { type CpuProfile, framesOf } from './cpu-profile.ts';
import { flameGraph } from './flame-graph.ts';

const { profile, title } = yargs(hideBin(process.argv))
  .scriptName('npm run bench:flame --')
  .usage('$0 <profile> [--title <text>] > graph.svg\n\nDraws what `node --cpu-prof` has written.')
  .command('$0 <profile>', false, (command) =>
    command.positional('profile', { type: 'string', demandOption: true, describe: 'a .cpuprofile file' }),
  )
  .option('title', { type: 'string', default: 'Where the time goes', describe: 'stands above the graph' })
  .strict()
  .parseSync() as unknown as { readonly profile: string; readonly title: string };

process.stdout.write(flameGraph(framesOf(JSON.parse(readFileSync(profile, 'utf8')) as CpuProfile), title));
