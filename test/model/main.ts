import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { MemoryLevel } from 'memory-level';
import yargs from 'yargs';
import { holdAgainstModel } from './hold-against.ts';

/** The model is slow, and the slower the longer a history gets. */
const stepsPerHistory = 2000;

const options = await yargs(process.argv.slice(2))
  .scriptName('npm run model --')
  .usage('$0 [flags]\n\nDoes random histories to the store and to its model, side by side, until they differ.')
  .options({
    steps: { type: 'number', default: 1_000_000, describe: 'steps in all' },
    seed: { type: 'number', describe: 'only this history' },
    from: { type: 'number', default: 1, describe: 'the first seed' },
    jobs: { type: 'number', default: availableParallelism(), describe: 'processes' },
    every: { type: 'number', hidden: true },
  })
  .strict()
  .parseAsync();

if (options.seed !== undefined) await hold(options.seed);
else if (options.every !== undefined) await holdShare(options.every);
else await shareOut();

async function hold(seed: number): Promise<void> {
  await holdAgainstModel(new MemoryLevel({ keyEncoding: 'buffer', valueEncoding: 'buffer' }), seed, stepsPerHistory);
}

/** In a process of its own: every so many seeds, and a message after each. */
async function holdShare(every: number): Promise<void> {
  const histories = Math.ceil(options.steps / stepsPerHistory / every);
  for (let history = 0; history < histories; history++) {
    await hold(options.from + history * every);
    process.send?.('done');
  }
}

async function shareOut(): Promise<void> {
  const startedMs = performance.now();
  let done = 0;
  let failures = 0;
  const report = setInterval(tell, 10_000);
  await Promise.all(
    Array.from({ length: options.jobs }, (_, job) => {
      const args = [
        '--every',
        String(options.jobs),
        '--from',
        String(options.from + job),
        '--steps',
        String(options.steps),
      ];
      const child = fork(fileURLToPath(import.meta.url), args, { execArgv: ['--import', 'tsx'] });
      child.on('message', () => {
        done++;
      });
      return new Promise<void>((resolve) => {
        child.once('exit', (code) => {
          if (code !== 0) failures++;
          resolve();
        });
      });
    }),
  );
  clearInterval(report);
  tell();
  process.exitCode = failures > 0 ? 1 : 0;

  function tell(): void {
    const seconds = Math.round((performance.now() - startedMs) / 1000);
    console.log(`${done * stepsPerHistory} steps in ${done} histories, ${failures} failed · ${seconds} s`);
  }
}
