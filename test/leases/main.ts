import yargs from 'yargs';
import { type LeaseAccount, type LeaseOutcome, nothingDone, planOf, run } from './run.ts';

const progressMs = 10_000;

const options = await yargs(process.argv.slice(2))
  .scriptName('npm run leases --')
  .usage(
    '$0 [flags]\n\nLets many leases live under leaders that change, and checks that none ends early and none lives on.',
  )
  .options({
    leases: { type: 'number', default: 1_000_000, describe: 'how many leases' },
    batch: {
      type: 'number',
      default: 20_000,
      describe: 'so many at a time, in a world of their own with its own seed',
    },
    seed: { type: 'number', default: 1, describe: 'of the first batch; the next one has the next' },
  })
  .strict()
  .check(({ leases, batch }) => (leases >= 1 && batch >= 1) || '--leases and --batch are 1 or more')
  .parseAsync();

process.exitCode = await search();

/** The exit code: 0 if every lease kept the rules. */
async function search(): Promise<number> {
  const startedMs = performance.now();
  let toldMs = startedMs;
  let account = nothingDone;
  let given = 0;
  let seed = options.seed;
  console.log(`seed ${seed}, batches of ${options.batch} leases`);
  for (; given < options.leases; seed++) {
    const leases = Math.min(options.batch, options.leases - given);
    given += leases;
    const outcome = await run(planOf(seed, leases));
    account = sumOf(account, outcome.account);
    if (outcome.violation !== undefined) {
      console.log(describeFailure(outcome));
      return 1;
    }
    const now = performance.now();
    if (now - toldMs < progressMs) continue;
    toldMs = now;
    console.log(describeProgress(account, now - startedMs));
  }
  console.log(
    `${describeProgress(account, performance.now() - startedMs)}\nall rules kept by the seeds up to ${seed - 1}`,
  );
  return 0;
}

function sumOf(a: LeaseAccount, b: LeaseAccount): LeaseAccount {
  const keys = Object.keys(a) as (keyof LeaseAccount)[];
  return Object.fromEntries(keys.map((key) => [key, a[key] + b[key]])) as unknown as LeaseAccount;
}

function describeProgress(account: LeaseAccount, ms: number): string {
  const { leases, renewals, unknown, toldGone, expired, revoked, leaders, stale } = account;
  return [
    `${leases} leases`,
    `${renewals} renewals, ${unknown} unknown, ${toldGone} too late`,
    `${expired} expired, ${revoked} revoked`,
    `${leaders} leaders, ${stale} entries of deposed ones`,
    `${(ms / 1000).toFixed(0)} s (${((1000 * leases) / ms).toFixed(0)} leases a second)`,
    `${(process.memoryUsage().rss / 2 ** 20).toFixed(0)} MiB`,
  ].join(' · ');
}

function describeFailure({ plan, violation }: LeaseOutcome): string {
  const { seed, leases, clockErrorPercent, leaderChangeMs } = plan;
  return [
    `seed ${seed}: ${violation}`,
    `Clocks are up to ${clockErrorPercent} % off, leaders change every ${leaderChangeMs.least} to ${leaderChangeMs.most} ms.`,
    `Again: npm run leases -- --seed ${seed} --leases ${leases} --batch ${leases}`,
  ].join('\n');
}
