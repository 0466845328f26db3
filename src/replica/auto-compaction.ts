import type { Revision } from '../contract/kv.ts';
import { encodeCommand } from '../mvcc/index.ts';
import type { Duty } from './duty.ts';
import type { Replica } from './replica.ts';

/** As etcd's `--auto-compaction-mode` and `--auto-compaction-retention`. */
export type AutoCompactionOptions =
  | { readonly mode: 'off' }
  /** What is older than that is forgotten. */
  | { readonly mode: 'periodic'; readonly retentionMs: number }
  /** So many revisions are kept. */
  | { readonly mode: 'revision'; readonly retention: number };

interface Sample {
  readonly atMs: number;
  readonly revision: Revision;
}

const hourMs = 3_600_000;
/** etcd's. */
const revisionIntervalMs = 300_000;
const samplesPerInterval = 10;
const proposalTimeoutMs = 5000;

/** Forgets the past bit by bit, as the leader. A new leader begins to count anew, so it forgets later, never earlier. */
export class AutoCompaction implements Duty {
  readonly #replica: Replica;
  readonly #options: AutoCompactionOptions;
  #samples: Sample[] = [];
  #lastMs: number;

  constructor(replica: Replica, options: AutoCompactionOptions) {
    this.#replica = replica;
    this.#options = options;
    this.#lastMs = replica.options.clock.monotonicMs();
    if (options.mode !== 'off') replica.addDuty(this);
  }

  onLeading(): void {
    this.#samples = [];
    this.#lastMs = this.#replica.options.clock.monotonicMs();
  }

  onDeposed(): void {}

  onTick(): void {
    if (this.#replica.leadingTerm === undefined) return;
    const { clock, store } = this.#replica.options;
    const now = clock.monotonicMs();
    const revision = this.#forgettable(now);
    if (revision === undefined || revision <= store.compactRevision || revision > store.revision) return;
    void this.#compact(revision);
  }

  async #compact(revision: Revision): Promise<void> {
    const answer = await this.#replica.propose(encodeCommand({ kind: 'compact', revision }), proposalTimeoutMs);
    if (answer.outcome === 'done' || this.#options.mode !== 'periodic') return;
    // As etcd, sooner than after a whole interval: it may be an hour.
    this.#lastMs -= (1 - 1 / samplesPerInterval) * intervalOf(this.#options);
  }

  #forgettable(now: number): Revision | undefined {
    const options = this.#options;
    if (options.mode === 'off') return undefined;
    if (options.mode === 'revision') {
      if (now - this.#lastMs < revisionIntervalMs) return undefined;
      this.#lastMs = now;
      return this.#replica.options.store.revision - options.retention;
    }
    const intervalMs = intervalOf(options);
    const last = this.#samples.at(-1);
    if (last === undefined || now - last.atMs >= intervalMs / samplesPerInterval) {
      this.#samples.push({ atMs: now, revision: this.#replica.options.store.revision });
    }
    if (now - this.#lastMs < intervalMs) return undefined;
    const old = this.#samples.findLastIndex(({ atMs }) => now - atMs >= options.retentionMs);
    if (old < 0) return undefined;
    this.#lastMs = now;
    this.#samples = this.#samples.slice(old);
    return this.#samples[0]?.revision;
  }
}

function intervalOf({ retentionMs }: Extract<AutoCompactionOptions, { mode: 'periodic' }>): number {
  return Math.min(retentionMs, hourMs);
}
