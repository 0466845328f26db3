import { type Random, seededRandom } from '../../src/base/random.ts';
import { type Endpoint, send } from './send.ts';

/** So many revisions are kept. */
const keptRevisions = 100;

/** Compacts without pause, and knows what may be and what must be compacted. */
export class Compactor implements AsyncDisposable {
  readonly #nodes: readonly Endpoint[];
  readonly #present: () => number;
  readonly #everyMs: number;
  readonly #random: Random;
  readonly #running: Promise<void>;
  #requested = 0;
  #acknowledged = 0;
  #stopping = false;
  #compactions = 0;

  /** `present`: the newest revision whose events are safe; none is compacted that could not be told any more. */
  constructor(nodes: readonly Endpoint[], options: { present: () => number; everyMs: number; seed: number }) {
    this.#nodes = nodes;
    this.#present = options.present;
    this.#everyMs = options.everyMs;
    this.#random = seededRandom(options.seed);
    this.#running = this.#run();
  }

  /** The highest that was asked for, whether it was answered or not. */
  get requested(): number {
    return this.#requested;
  }

  /** The highest that certainly was done. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  get compactions(): number {
    return this.#compactions;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#running;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      await new Promise((resolve) => setTimeout(resolve, this.#everyMs));
      const revision = this.#present() - keptRevisions;
      if (revision > this.#requested) await this.#compact(revision);
    }
  }

  async #compact(revision: number): Promise<void> {
    this.#requested = revision;
    const node = this.#nodes[this.#random.below(this.#nodes.length)];
    const body = JSON.stringify({ revision });
    const answer = await send(`${node?.url}/v1/compact?timeout=1s`, { method: 'POST', body }, [200]);
    if (typeof answer === 'string') return;
    this.#acknowledged = revision;
    this.#compactions++;
  }
}
