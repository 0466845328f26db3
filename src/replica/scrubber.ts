import type { CancelTimer, Clock } from '../base/clock.ts';
import type { Store } from '../mvcc/index.ts';
import type { ReplicaLog } from './replica-log.ts';

export interface ScrubberOptions {
  readonly store: Pick<Store, 'scrub'>;
  readonly clock: Clock;
  readonly logger: ReplicaLog;
  /** From the end of one pass, or from the start, to the next. */
  readonly intervalMs: number;
  /** After every slice of some hundred records. */
  readonly pauseMs: number;
}

/**
 * Reads everything that the disk holds, over and over and slowly, so that damage to what nobody reads is found while the
 * other members still have it whole. A store that meets damage fails by itself; here nothing has to be done about it.
 */
export class Scrubber {
  readonly #options: ScrubberOptions;
  readonly #stopping = new AbortController();
  #cancelTimer: CancelTimer | undefined;
  #pass: Promise<void> | undefined;

  constructor(options: ScrubberOptions) {
    this.#options = options;
    this.#schedule();
  }

  /** Resolves when it reads no more. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#cancelTimer?.();
    await this.#pass;
  }

  #schedule(): void {
    const { clock, intervalMs } = this.#options;
    this.#cancelTimer = clock.setTimer(intervalMs, () => {
      this.#pass = this.#run();
    });
  }

  async #run(): Promise<void> {
    const { store, clock, logger, pauseMs } = this.#options;
    const startedMs = clock.monotonicMs();
    try {
      const records = await store.scrub({ pauseMs, signal: this.#stopping.signal });
      if (this.#stopping.signal.aborted) return;
      logger.info('store scrubbed', { records, seconds: Math.round((clock.monotonicMs() - startedMs) / 1000) });
      this.#schedule();
    } catch (reason) {
      if (!this.#stopping.signal.aborted) logger.warn('store damaged', { reason });
    }
  }
}
