import { type ChildProcess, fork } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Finding } from './engine/session.ts';
import { minimise } from './engine/smaller.ts';
import type { Input } from './engine/target.ts';
import { targetOf } from './targets/index.ts';
import { type FromWorker, received, type SentInput, sent, type Task } from './worker.ts';

const workerPath = fileURLToPath(new URL('./worker.ts', import.meta.url));

/** An input that holds a worker up so long is stuck, however busy the machine is. */
const stuckMs = 20_000;

/** A worker opens its target before the first input, a whole member at times. */
const startMs = 60_000;

/** Minimising what ends or holds up a process takes a process for each attempt. */
const minimiseMs = 90_000;

/**
 * Where everything that is started here keeps its files, in memory where there is such a place: a process that is killed
 * cannot clean up, so it is done here.
 */
const home = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'balsa-fuzz-'));
/** Every process that was started; to end one that has ended does nothing. */
const started: ChildProcess[] = [];
process.on('exit', () => {
  for (const worker of started) worker.kill('SIGKILL');
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

/** How every report of a process begins that ended or had to be ended. */
const gone = 'the process is gone';

export interface Watched {
  readonly onProgress: (number: number) => void;
  readonly onFinding: (finding: Finding) => void;
}

/**
 * Runs inputs of a target in a process of its own for `ms`, starting again behind an input that ended the process or got
 * it stuck. The number of inputs that ran.
 */
export async function runWatched(target: string, seed: number, ms: number, watched: Watched): Promise<number> {
  const progressPath = join(home, `progress-${target}`);
  const endMs = performance.now() + ms;
  let from = 0;
  while (performance.now() < endMs) {
    rmSync(progressPath, { force: true });
    const task: Task = { kind: 'session', target, seed, from, ms: endMs - performance.now(), progressPath };
    const end = await runTask(task, progressPath, watched);
    if (end.kind === 'done') return end.next;
    watched.onFinding(await lost(target, seed, end));
    from = end.number + 1;
  }
  return from;
}

/** Why an input is a finding when it runs alone, in a new process; undefined if it is none. */
export async function problemOf(target: string, input: Input): Promise<string | undefined> {
  const worker = startWorker({ kind: 'one', target, input: sent(input) });
  return new Promise((resolve) => {
    const timer = setTimeout(() => finish(`${gone}: it is stuck`), startMs);
    worker.on('message', (message: FromWorker) => message.kind === 'judged' && finish(message.problem));
    worker.on('exit', (code, signal) => finish(`${gone} (${signal ?? `code ${code}`})`));
    function finish(problem: string | undefined): void {
      clearTimeout(timer);
      worker.removeAllListeners('exit');
      worker.kill('SIGKILL');
      resolve(problem);
    }
  });
}

type End =
  | { readonly kind: 'done'; readonly next: number }
  | { readonly kind: 'crash' | 'stuck'; readonly number: number; readonly detail: string };

function runTask(task: Task & { kind: 'session' }, progressPath: string, watched: Watched): Promise<End> {
  const worker = startWorker(task);
  const errors: string[] = [];
  worker.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors.push(text);
    if (errors.length > 50) errors.shift();
  });
  return new Promise((resolve) => {
    let number = -1;
    let sinceMs = performance.now();
    let isDone = false;
    // Then many inputs run under one number.
    let isMinimising = false;
    const look = setInterval(() => {
      const current = readProgress(progressPath) ?? -1;
      if (current !== number) [number, sinceMs] = [current, performance.now()];
      watched.onProgress(Math.max(0, number));
      const allowedMs = number < task.from ? startMs : isMinimising ? 2 * minimiseMs : stuckMs;
      if (!isDone && performance.now() - sinceMs > allowedMs)
        finish({ kind: 'stuck', number, detail: `${gone}: it is stuck` });
    }, 500);
    worker.on('message', (message: FromWorker) => {
      isMinimising = message.kind === 'suspicion';
      sinceMs = performance.now();
      if (message.kind === 'finding') {
        watched.onFinding({ ...message.finding, input: received(message.finding.input) });
      }
      if (message.kind === 'done') {
        isDone = true;
        finish({ kind: 'done', next: message.next });
      }
    });
    worker.on('exit', (code, signal) => {
      const detail = `${gone} (${signal ?? `code ${code}`})\n${errors.join('').slice(-3000)}`;
      finish({ kind: 'crash', number: readProgress(progressPath) ?? 0, detail });
    });
    function finish(end: End): void {
      clearInterval(look);
      worker.removeAllListeners('exit');
      if (end.kind !== 'done') worker.kill('SIGKILL');
      resolve(end);
    }
  });
}

/** The finding for an input that took its process with it. */
async function lost(target: string, seed: number, end: End & { kind: 'crash' | 'stuck' }): Promise<Finding> {
  const input = await make(target, seed, end.number);
  const { smaller } = targetOf(target);
  const fails = async (candidate: Input) => (await problemOf(target, candidate))?.startsWith(gone) ?? false;
  const isRepeatable = await fails(input);
  const smallest = isRepeatable ? await minimise(input, fails, { smaller, budgetMs: minimiseMs }) : input;
  const remark = isRepeatable ? '' : '\nIt did not when it ran alone: it needs what came before it.';
  return { input: smallest, number: end.number, what: end.kind, detail: `${end.detail}${remark}` };
}

function make(target: string, seed: number, number: number): Promise<Input> {
  const worker = startWorker({ kind: 'make', target, seed, number });
  return new Promise((resolve) => {
    worker.on('message', (message: FromWorker) => message.kind === 'made' && resolve(received(message.input)));
    // Also when it could not be made: then that is what is wrong, with the target.
    worker.on('exit', () => resolve({ kind: 'none', bytes: Buffer.alloc(0) }));
  });
}

function startWorker(task: Task): ChildProcess {
  const worker = fork(workerPath, {
    execArgv: ['--import', 'tsx'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: { ...process.env, TMPDIR: home },
  });
  started.push(worker);
  worker.send(task);
  return worker;
}

function readProgress(path: string): number | undefined {
  try {
    const bytes = readFileSync(path);
    return bytes.length === 8 ? bytes.readDoubleBE(0) : undefined;
  } catch {
    return undefined;
  }
}

export type { SentInput };
