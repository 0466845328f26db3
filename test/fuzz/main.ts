import { randomInt } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import yargs from 'yargs';
import { formatCase, readCase } from './engine/case-file.ts';
import type { Finding } from './engine/session.ts';
import type { Target } from './engine/target.ts';
import { targetOf, targets } from './targets/index.ts';
import { problemOf, runWatched } from './watched-worker.ts';

const findingsDirectory = fileURLToPath(new URL('./findings/', import.meta.url));
const progressMs = 10_000;

const options = await yargs(process.argv.slice(2))
  .scriptName('npm run fuzz --')
  .usage('$0 [flags]\n\nGives every part of Balsa that reads what others wrote inputs that are almost right.')
  .options({
    minutes: { type: 'number', default: 10, describe: 'for all targets together' },
    seed: { type: 'number', describe: 'the same seed makes the same inputs; otherwise by chance' },
    target: { type: 'string', choices: targets.map(({ name }) => name), describe: 'this one alone' },
    jobs: { type: 'number', default: 2, describe: 'targets at a time, each in a process of its own' },
    file: { type: 'string', describe: 'run the input in this file, of the given target, and nothing else' },
  })
  .strict()
  .check(({ file, target }) => file === undefined || target !== undefined || '--file needs --target')
  .check(({ seed }) => seed === undefined || (seed >= 0 && seed < 2 ** 20) || '--seed is a number below 2^20')
  .parseAsync();

process.exitCode = options.file === undefined ? await fuzz() : await replay(options.file);

interface Account {
  readonly target: Target;
  inputs: number;
  seconds: number;
  findings: number;
}

/** The exit code: 1 if anything was found. */
async function fuzz(): Promise<number> {
  const seed = options.seed ?? randomInt(2 ** 20);
  const chosen = options.target === undefined ? targets : [targetOf(options.target)];
  const weights = chosen.reduce((sum, { weight }) => sum + weight, 0);
  const jobs = Math.max(1, Math.min(options.jobs, chosen.length));
  console.log(`seed ${seed}`);
  const accounts: Account[] = chosen.map((target) => ({ target, inputs: 0, seconds: 0, findings: 0 }));
  const waiting = [...accounts];
  await Promise.all(
    Array.from({ length: jobs }, async () => {
      for (let account = waiting.shift(); account !== undefined; account = waiting.shift()) {
        await fuzzTarget(account, seed, (options.minutes * 60_000 * jobs * account.target.weight) / weights);
      }
    }),
  );
  console.log(`\n${tableOf(accounts)}`);
  const found = accounts.some(({ findings }) => findings > 0);
  if (found) console.log(`\nThe inputs are in ${findingsDirectory}. Again: npm run fuzz -- --target T --file F`);
  return found ? 1 : 0;
}

async function fuzzTarget(account: Account, seed: number, ms: number): Promise<void> {
  const { name } = account.target;
  const startedMs = performance.now();
  let shownMs = startedMs;
  const note = (inputs: number): void => {
    account.inputs = inputs;
    account.seconds = (performance.now() - startedMs) / 1000;
  };
  const inputs = await runWatched(name, seed, ms, {
    onProgress(number) {
      note(number);
      if (performance.now() - shownMs < progressMs) return;
      shownMs = performance.now();
      console.log(lineOf(account));
    },
    onFinding(finding) {
      account.findings++;
      console.log(`${name}: ${finding.what}: ${finding.detail.split('\n')[0]}\n  ${keep(name, seed, finding)}`);
    },
  });
  note(inputs);
}

async function replay(path: string): Promise<number> {
  const target = targetOf(options.target ?? '');
  const problem = await problemOf(target.name, readCase(path));
  console.log(problem ?? 'nothing is wrong');
  return problem === undefined ? 0 : 1;
}

/** The path of the file with the input and what it did. */
function keep(target: string, seed: number, { input, number, what, detail }: Finding): string {
  mkdirSync(findingsDirectory, { recursive: true });
  const path = join(findingsDirectory, `${target}-${what}-${seed}-${number ?? 'run'}.txt`);
  writeFileSync(path, formatCase(input, [`seed ${seed}, input ${number ?? 'none'}`, `${what}: ${detail}`]));
  return path;
}

function tableOf(accounts: readonly Account[]): string {
  const total: Account = {
    target: { ...targetOf('frames'), name: 'total' },
    inputs: accounts.reduce((sum, { inputs }) => sum + inputs, 0),
    seconds: accounts.reduce((sum, { seconds }) => sum + seconds, 0),
    findings: accounts.reduce((sum, { findings }) => sum + findings, 0),
  };
  return [...accounts, total].map(lineOf).join('\n');
}

function lineOf({ target, inputs, seconds, findings }: Account): string {
  const rate = seconds === 0 ? 0 : Math.round(inputs / seconds);
  return [
    target.name.padEnd(16),
    `${inputs}`.padStart(10),
    `inputs ${`${rate}`.padStart(7)}/s`,
    `${Math.round(seconds)}`.padStart(5),
    `s  ${findings} findings`,
  ].join(' ');
}
