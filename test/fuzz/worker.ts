import { openSync, writeSync } from 'node:fs';
import { judge } from './engine/judge.ts';
import { type Finding, inputOf, runSession } from './engine/session.ts';
import type { Input, OpenTarget, Target } from './engine/target.ts';
import { targetOf } from './targets/index.ts';

/** What a worker is started for: inputs of a seed for some time, or one input alone. */
export type Task =
  | {
      readonly kind: 'session';
      readonly target: string;
      readonly seed: number;
      readonly from: number;
      readonly ms: number;
      /** Holds the number of the input that runs, also when this process is gone. */
      readonly progressPath: string;
    }
  | { readonly kind: 'make'; readonly target: string; readonly seed: number; readonly number: number }
  | { readonly kind: 'one'; readonly target: string; readonly input: SentInput };

/** An input between two processes. */
export interface SentInput {
  readonly kind: string;
  readonly hex: string;
}

export type FromWorker =
  | { readonly kind: 'finding'; readonly finding: Omit<Finding, 'input'> & { readonly input: SentInput } }
  /** The finding follows, which can take a minute. */
  | { readonly kind: 'suspicion' }
  | { readonly kind: 'made'; readonly input: SentInput }
  | { readonly kind: 'judged'; readonly problem: string | undefined }
  | { readonly kind: 'done'; readonly next: number };

process.once('disconnect', () => process.exit());
process.once('message', (task: Task) => void work(task));

async function work(task: Task): Promise<void> {
  const { smaller, open } = targetOf(task.target);
  const target = await open();
  if (task.kind === 'make') tell({ kind: 'made', input: sent(inputOf(target, task.seed, task.number)) });
  else if (task.kind === 'one') await runOne(target, received(task.input));
  else await runTask(target, smaller, task);
  await target.close?.();
  process.disconnect?.();
}

async function runOne(target: OpenTarget, input: Input): Promise<void> {
  const verdict = await judge(target, input);
  tell({ kind: 'judged', problem: verdict === undefined ? undefined : `${verdict.what}: ${verdict.detail}` });
}

async function runTask(
  target: OpenTarget,
  smaller: Target['smaller'],
  { seed, from, ms, progressPath }: Task & { kind: 'session' },
): Promise<void> {
  const progress = openSync(progressPath, 'w');
  const number = Buffer.alloc(8);
  const endMs = performance.now() + ms;
  const next = await runSession(target, smaller, {
    seed,
    from,
    isOver: () => performance.now() >= endMs,
    onInput(current) {
      number.writeDoubleBE(current);
      // Not through the channel to the parent: what is still in it would be lost with this process.
      writeSync(progress, number, 0, 8, 0);
    },
    onSuspicion: () => tell({ kind: 'suspicion' }),
    onFinding: (finding) => tell({ kind: 'finding', finding: { ...finding, input: sent(finding.input) } }),
  });
  tell({ kind: 'done', next });
}

function tell(message: FromWorker): void {
  process.send?.(message);
}

export function sent({ kind, bytes }: Input): SentInput {
  return { kind, hex: bytes.toString('hex') };
}

export function received({ kind, hex }: SentInput): Input {
  return { kind, bytes: Buffer.from(hex, 'hex') };
}
