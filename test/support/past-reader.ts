import { type Random, seededRandom } from '../../src/base/random.ts';
import type { PastRead } from '../checking/past-reads.ts';
import type { Compactor } from './compactor.ts';
import { type Answer, type Endpoint, send } from './send.ts';
import { type KeyValueJson, keyValueOf } from './watch-messages.ts';

interface PageJson {
  readonly revision: number;
  readonly kvs: readonly KeyValueJson[];
  readonly next?: string;
}

/** Reads the past through all nodes, page by page, at revisions that are kept, and at some that are not. */
export class PastReader implements AsyncDisposable {
  readonly reads: PastRead[] = [];
  readonly #nodes: readonly Endpoint[];
  readonly #prefixes: readonly string[];
  readonly #compactor: Compactor;
  readonly #present: () => number;
  readonly #random: Random;
  readonly #running: Promise<void>;
  #stopping = false;

  /** `present`: a revision that there certainly is. */
  constructor(
    nodes: readonly Endpoint[],
    options: { prefixes: readonly string[]; compactor: Compactor; present: () => number; seed: number },
  ) {
    this.#nodes = nodes;
    this.#prefixes = options.prefixes;
    this.#compactor = options.compactor;
    this.#present = options.present;
    this.#random = seededRandom(options.seed);
    this.#running = this.#run();
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
      await this.#read();
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  }

  async #read(): Promise<void> {
    const revision = this.#anyRevision();
    const prefix = this.#prefixes[this.#random.below(this.#prefixes.length)] ?? '';
    const limit = 1 + this.#random.below(20);
    const kvs: KeyValueJson[] = [];
    let after: string | undefined;
    do {
      // A further page is of a revision that is decided: a member that has not heard of the compaction may still tell it.
      const compactedBefore = after === undefined ? this.#compactor.acknowledged : 0;
      const query = `prefix=${prefix}&revision=${revision}&limit=${limit}&timeout=1s`;
      const answer = await this.#ask(`/v1/kv?${query}${after === undefined ? '' : `&after=${after}`}`);
      if (answer === undefined) return;
      if (answer.status !== 200) {
        this.#noteRefusal({ revision, prefix, compactedBefore }, answer);
        return;
      }
      const page = JSON.parse(answer.text) as PageJson;
      kvs.push(...page.kvs);
      after = page.next;
      const told = { kind: 'kvs', kvs: kvs.map(keyValueOf), isWhole: after === undefined } as const;
      this.reads.push({ revision, prefix, compactedBefore, told });
    } while (after !== undefined);
  }

  #noteRefusal(asked: Omit<PastRead, 'told'>, { status, text }: Answer): void {
    const { code, compactRevision = 0 } = JSON.parse(text) as { code: string; compactRevision?: number };
    const told = { kind: 'refusal', status, code, compactRevision, requested: this.#compactor.requested } as const;
    this.reads.push({ ...asked, told });
  }

  /** Undefined: it was not answered. */
  async #ask(path: string): Promise<Answer | undefined> {
    const node = this.#nodes[this.#random.below(this.#nodes.length)];
    const answer = await send(`${node?.url}${path}`, { method: 'GET' }, [200, 400, 404, 410, 422]);
    return typeof answer === 'string' ? undefined : answer;
  }

  /** Mostly one that is kept, often the last or the first such, and now and then one that is not. */
  #anyRevision(): number {
    const oldest = Math.max(1, this.#compactor.requested);
    const newest = Math.max(oldest, this.#present());
    switch (this.#random.below(10)) {
      case 0:
        return Math.max(1, oldest - 1 - this.#random.below(50));
      case 1:
        return oldest;
      case 2:
        return newest;
      default:
        return oldest + this.#random.below(newest - oldest + 1);
    }
  }
}
