import { seededRandom } from '../../../src/base/random.ts';
import { judge, signatureOf, type Verdict } from './judge.ts';
import { MemoryTrend } from './memory-trend.ts';
import { minimise } from './smaller.ts';
import type { Input, OpenTarget, Target } from './target.ts';

const memorySampleMs = 3000;
const minimiseMs = 60_000;

/** The same failure again and again says nothing new, and minimising it each time takes the run's time. */
const findingsMax = 20;

export interface Finding {
  readonly input: Input;
  /** Which one it was; undefined for what no single input did. */
  readonly number: number | undefined;
  readonly what: string;
  readonly detail: string;
}

export interface SessionOptions {
  readonly seed: number;
  /** The first input. */
  readonly from: number;
  readonly isOver: (next: number) => boolean;
  /** Before each input runs. */
  readonly onInput?: (number: number) => void;
  /** Something is wrong with an input; the finding follows when it is as small as can be. */
  readonly onSuspicion?: () => void;
  readonly onFinding: (finding: Finding) => void;
}

/** Input `number` of a seed: always the same one. */
export function inputOf(target: OpenTarget, seed: number, number: number): Input {
  return target.make(seededRandom(seed * 2 ** 32 + number));
}

/** Runs inputs until it is over; the number of the one that would be next. Each kind of failure is reported once. */
export async function runSession(
  target: OpenTarget,
  smaller: Target['smaller'],
  options: SessionOptions,
): Promise<number> {
  const { seed, from, isOver, onInput, onSuspicion, onFinding } = options;
  const seen = new Set<string>();
  const trend = new MemoryTrend(target);
  let sampledMs = performance.now();
  let number = from;
  const strays = new Strays();
  try {
    for (; !isOver(number) && seen.size < findingsMax; number++) {
      onInput?.(number);
      const input = inputOf(target, seed, number);
      const verdict = (await judge(target, input)) ?? strays.take();
      if (verdict !== undefined && !seen.has(signatureOf(verdict))) {
        seen.add(signatureOf(verdict));
        onSuspicion?.();
        onFinding(await minimised(target, smaller, { input, number, verdict, strays }));
      }
      if (performance.now() - sampledMs > memorySampleMs) {
        await trend.sample();
        sampledMs = performance.now();
      }
    }
  } finally {
    strays.stop();
  }
  const leak = trend.problem();
  if (leak !== undefined) {
    onFinding({ input: { kind: 'none', bytes: Buffer.alloc(0) }, number: undefined, what: 'leak', detail: leak });
  }
  return number;
}

interface Suspicion {
  readonly input: Input;
  readonly number: number;
  readonly verdict: Exclude<Verdict, undefined>;
  readonly strays: Strays;
}

async function minimised(
  target: OpenTarget,
  smaller: Target['smaller'],
  { input, number, verdict, strays }: Suspicion,
): Promise<Finding> {
  const signature = signatureOf(verdict);
  const fails = async (candidate: Input): Promise<boolean> => {
    const found = (await judge(target, candidate)) ?? strays.take();
    return found !== undefined && signatureOf(found) === signature;
  };
  const isRepeatable = await fails(input);
  const smallest = isRepeatable ? await minimise(input, fails, { smaller, budgetMs: minimiseMs }) : input;
  const remark = isRepeatable ? '' : '\nIt did not fail when it ran again: it needs what came before it.';
  return { input: smallest, number, what: verdict.what, detail: `${verdict.detail}${remark}` };
}

/** What nobody caught, which in production would be the end of the process. */
class Strays {
  #verdict: Verdict;

  constructor() {
    process.on('uncaughtException', this.#note);
    process.on('unhandledRejection', this.#note);
  }

  take(): Verdict {
    const verdict = this.#verdict;
    this.#verdict = undefined;
    return verdict;
  }

  stop(): void {
    process.off('uncaughtException', this.#note);
    process.off('unhandledRejection', this.#note);
  }

  readonly #note = (reason: unknown): void => {
    const detail = reason instanceof Error ? (reason.stack ?? reason.message) : String(reason);
    this.#verdict = { what: 'error', detail: `Uncaught: ${detail}` };
  };
}
