import { type ChildProcess, fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import yargs from 'yargs';
import { planOf } from './plan.ts';
import { describeFailure, describeProgress, nothingDone, sumOf } from './report.ts';
import { run } from './run.ts';
import { shrink } from './shrink.ts';
import type { FromWorker } from './worker.ts';

/** Seeds that a worker is given at a time. */
const portion = 10;
const progressMs = 10_000;

const options = await yargs(process.argv.slice(2))
  .scriptName('npm run sim --')
  .usage('$0 [flags]\n\nRuns whole clusters in a simulated world, each from a seed, until one breaks a rule.')
  .options({
    seeds: { type: 'number', default: 1000, describe: 'how many seeds' },
    from: { type: 'number', default: 1, describe: 'the first seed' },
    minutes: { type: 'number', describe: 'as many seeds as fit into that time' },
    seed: { type: 'number', describe: 'this one alone, with its whole story' },
    members: { type: 'number', describe: '1 to 7; otherwise as the seed says, mostly 3' },
    membersChange: { type: 'boolean', describe: 'members come and go in every run; with --no-members-change in none' },
    mixedVersions: { type: 'boolean', describe: 'some begin with the version of before in every run, or in none' },
    jobs: { type: 'number', default: availableParallelism(), describe: 'processes' },
    twice: {
      type: 'number',
      default: 50,
      describe: 'each so manieth seed is run twice and has to be the same; 0: none',
    },
    shrink: { type: 'boolean', default: true, describe: 'cut a failing run down' },
  })
  .strict()
  .check(({ members }) => members === undefined || (members >= 1 && members <= 7) || '--members is 1 to 7')
  .parseAsync();

const wishes = { members: options.members, membersChange: options.membersChange, mixedVersions: options.mixedVersions };

process.exitCode = options.seed === undefined ? await search() : await replay(options.seed);

/** The exit code: 0 if every run kept every rule. */
async function search(): Promise<number> {
  const startedMs = performance.now();
  const seconds = (): number => (performance.now() - startedMs) / 1000;
  let account = nothingDone;
  let next = options.from;
  let failedSeed: number | undefined;
  const isOver = (): boolean => {
    if (failedSeed !== undefined) return true;
    if (options.minutes !== undefined) return seconds() >= options.minutes * 60;
    return next >= options.from + options.seeds;
  };
  const progress = setInterval(() => console.log(describeProgress(account, seconds(), options.jobs)), progressMs);
  const workers = Array.from({ length: options.jobs }, startWorker);
  await Promise.all(
    workers.map(async (worker) => {
      while (!isOver()) {
        const from = next;
        next += portion;
        const count = options.minutes === undefined ? Math.min(portion, options.from + options.seeds - from) : portion;
        const failed = await askWorker(worker, from, count, (done) => {
          account = sumOf(account, done);
        });
        if (failed !== undefined && (failedSeed === undefined || failed < failedSeed)) failedSeed = failed;
      }
    }),
  );
  clearInterval(progress);
  for (const worker of workers) worker.disconnect();
  console.log(describeProgress(account, seconds(), options.jobs));
  if (failedSeed === undefined) return 0;
  return replay(failedSeed);
}

async function replay(seed: number): Promise<number> {
  const outcome = await run(planOf(seed, wishes));
  if (outcome.violation === undefined) {
    const again = await run(planOf(seed, wishes));
    const isSame = again.hash === outcome.hash;
    console.log(
      `seed ${seed}: all rules kept, trace ${outcome.hash}${isSame ? '' : `, and ${again.hash} when run again`}`,
    );
    return isSame ? 0 : 1;
  }
  if (!options.shrink) {
    console.log(describeFailure(outcome));
    return 1;
  }
  const { plan, account } = outcome;
  console.log(
    `seed ${seed} fails: ${outcome.violation.rule}, with ${plan.faults.length} faults and ${account.operations} requests.`,
  );
  const { outcome: smallest, runs } = await shrink(outcome);
  console.log(`The smallest run of ${runs} that fails in the same way:\n\n${describeFailure(smallest)}`);
  console.log(`\nAgain: npm run sim -- --seed ${seed}${describeWishes()}`);
  return 1;
}

function describeWishes(): string {
  const { members, membersChange, mixedVersions } = wishes;
  const flags = Object.entries({ 'members-change': membersChange, 'mixed-versions': mixedVersions })
    .filter(([, wish]) => wish !== undefined)
    .map(([name, wish]) => ` --${wish ? '' : 'no-'}${name}`);
  return `${members === undefined ? '' : ` --members ${members}`}${flags.join('')}`;
}

function startWorker(): ChildProcess {
  return fork(fileURLToPath(new URL('./worker.ts', import.meta.url)), { execArgv: ['--import', 'tsx'] });
}

/** The lowest seed of these that failed. */
function askWorker(
  worker: ChildProcess,
  from: number,
  count: number,
  onRun: (account: typeof nothingDone) => void,
): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      worker.off('message', listen);
      worker.off('exit', onExit);
    };
    const onExit = (code: number | null): void => {
      end();
      reject(new Error(`a worker ended with ${code} while it ran the seeds ${from} to ${from + count - 1}`));
    };
    const listen = (message: FromWorker): void => {
      if (message.kind === 'run') {
        onRun(message.account);
        return;
      }
      end();
      if (message.kind === 'done') resolve(message.failedSeed);
      else reject(new Error(`in the seeds ${from} to ${from + count - 1}: ${message.reason}`));
    };
    worker.on('message', listen);
    worker.on('exit', onExit);
    worker.send({ from, count, wishes, twiceEvery: options.twice });
  });
}
