import type { ServerProcess } from './clusters/server-process.ts';
import { memoryOf } from './process-usage.ts';

const intervalMs = 200;
/** As many points as a curve needs; a long run keeps every second, fourth, … */
const samplesMax = 200;

export interface MemorySample {
  readonly seconds: number;
  readonly rssMiB: readonly number[];
}

/** Looks at the resident memory of nodes from its making on; one figure for each node, in their order. */
export class MemorySampler implements Disposable {
  readonly #nodes: readonly ServerProcess[];
  readonly #start = performance.now();
  readonly #timer: NodeJS.Timeout;
  readonly #peaks: number[];
  readonly #ownPeaks: number[];
  #samples: MemorySample[] = [];
  #skip = 1;
  #ticks = 0;

  constructor(nodes: readonly ServerProcess[]) {
    this.#nodes = nodes;
    this.#peaks = nodes.map(() => 0);
    this.#ownPeaks = nodes.map(() => 0);
    this.#timer = setInterval(() => this.#look(), intervalMs);
    this.#look();
  }

  /** The most that was seen since the start. */
  get peaksMiB(): readonly number[] {
    this.#look();
    return [...this.#peaks];
  }

  /** The same without files that a node has mapped, which the kernel can drop. */
  get ownPeaksMiB(): readonly number[] {
    this.#look();
    return [...this.#ownPeaks];
  }

  get samples(): readonly MemorySample[] {
    return this.#samples;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const memories = this.#nodes.map(memoryMiB);
    const rssMiB = memories.map(({ rss }) => rss);
    for (const [i, { rss, own }] of memories.entries()) {
      this.#peaks[i] = Math.max(this.#peaks[i] ?? 0, rss);
      this.#ownPeaks[i] = Math.max(this.#ownPeaks[i] ?? 0, own);
    }
    if (this.#ticks++ % this.#skip !== 0) return;
    this.#samples.push({ seconds: (performance.now() - this.#start) / 1000, rssMiB });
    if (this.#samples.length <= samplesMax) return;
    this.#samples = this.#samples.filter((_, i) => i % 2 === 0);
    this.#skip *= 2;
  }
}

/** 0 while a node is down. */
function memoryMiB(node: ServerProcess): { readonly rss: number; readonly own: number } {
  if (!node.isRunning) return { rss: 0, own: 0 };
  const { rssBytes, anonymousBytes } = memoryOf(node.pid);
  // It has just ended, and is only remembered by the kernel.
  return Number.isNaN(rssBytes) ? { rss: 0, own: 0 } : { rss: rssBytes / 2 ** 20, own: anonymousBytes / 2 ** 20 };
}
