import { collectGarbage } from './collect-garbage.ts';
import type { MemoryUse, OpenTarget } from './target.ts';

/** Growth between the two halves of a run, after a warm-up, that caches and the collector do not explain. */
const growthMax: MemoryUse = { used: 12 * 1024 * 1024, resident: 128 * 1024 * 1024 };

/** Fewer samples say nothing. */
const samplesMin = 6;

/** Looks at the memory again and again while inputs run, for what no single input shows: a leak. */
export class MemoryTrend {
  readonly #target: OpenTarget;
  readonly #samples: MemoryUse[] = [];

  constructor(target: OpenTarget) {
    this.#target = target;
  }

  async sample(): Promise<void> {
    this.#samples.push((await this.#target.memory?.()) ?? memoryOfThisProcess());
  }

  problem(): string | undefined {
    return growthIn(this.#samples);
  }
}

/** What is wrong, if anything. The first third of the samples is the warm-up. */
export function growthIn(samples: readonly MemoryUse[]): string | undefined {
  const steady = samples.slice(Math.floor(samples.length / 3));
  if (steady.length < samplesMin) return undefined;
  const half = Math.floor(steady.length / 2);
  for (const kind of ['used', 'resident'] as const) {
    // The least of each half: what is there when the collector has done all it does.
    const before = Math.min(...steady.slice(0, half).map((sample) => sample[kind]));
    const after = Math.min(...steady.slice(half).map((sample) => sample[kind]));
    if (after - before > growthMax[kind]) {
      const all = samples.map((sample) => Math.round(sample[kind] / 2 ** 20)).join(' ');
      return `memory (${kind}) grew from ${before} to ${after} bytes while inputs ran; in MiB: ${all}`;
    }
  }
  return undefined;
}

export function memoryOfThisProcess(): MemoryUse {
  collectGarbage();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { used: heapUsed + external, resident: rss };
}
