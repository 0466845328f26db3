import { assert } from '../base/assert.ts';
import type { CancelTimer, Clock } from '../base/clock.ts';
import type { Receipt, ReceiptStore } from './receipt.ts';

/** Between the starts of two receipt writes under load. See "Receipts" in this room's README for what it costs. */
export const receiptIntervalMs = 20;

/**
 * Writes the newest receipt, one at a time: the first at once, and while batches follow one another, the latest one
 * every `receiptIntervalMs`. A receipt that is overtaken before its turn is never written.
 */
export class ReceiptWriter {
  readonly #store: ReceiptStore;
  readonly #clock: Clock;
  readonly #onFailure: (reason: unknown) => void;
  #waiting: Receipt | undefined;
  #state: 'idle' | 'writing' | 'pausing' | 'failed' = 'idle';
  #lastStartMs = Number.NEGATIVE_INFINITY;
  #cancelPause: CancelTimer | undefined;
  #settled: (() => void)[] = [];

  constructor(store: ReceiptStore, clock: Clock, onFailure: (reason: unknown) => void) {
    this.#store = store;
    this.#clock = clock;
    this.#onFailure = onFailure;
  }

  /** The batch behind this receipt is durable. */
  note(receipt: Receipt): void {
    this.#waiting = receipt;
    if (this.#state === 'idle') this.#schedule();
  }

  /** Resolves when the newest receipt is durable, or writing has failed. */
  async flush(): Promise<void> {
    while (this.#state === 'writing' || this.#state === 'pausing') {
      if (this.#state === 'pausing') this.#start();
      await new Promise<void>((resolve) => this.#settled.push(resolve));
    }
  }

  #schedule(): void {
    const pauseMs = this.#lastStartMs + receiptIntervalMs - this.#clock.monotonicMs();
    if (pauseMs > 0) {
      this.#state = 'pausing';
      this.#cancelPause = this.#clock.setTimer(pauseMs, () => this.#start());
    } else {
      this.#start();
    }
  }

  #start(): void {
    const receipt = this.#waiting;
    assert(receipt !== undefined, 'no receipt waits to be written');
    this.#cancelPause?.();
    this.#waiting = undefined;
    this.#state = 'writing';
    this.#lastStartMs = this.#clock.monotonicMs();
    this.#store.write(receipt).then(
      () => this.#finish(),
      (reason: unknown) => this.#fail(reason),
    );
  }

  #finish(): void {
    this.#state = 'idle';
    if (this.#waiting !== undefined) this.#schedule();
    this.#settle();
  }

  #fail(reason: unknown): void {
    this.#state = 'failed';
    this.#onFailure(reason);
    this.#settle();
  }

  #settle(): void {
    const settled = this.#settled;
    this.#settled = [];
    for (const resolve of settled) resolve();
  }
}
