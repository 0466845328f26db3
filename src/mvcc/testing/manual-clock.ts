import type { CancelTimer, Clock } from '../../base/clock.ts';

/** A clock that stands still until it is told otherwise. Timers fire inside `advance`, in order; input never waits. */
export class ManualClock implements Clock {
  #nowMs = 0;
  #timers: readonly { readonly atMs: number; readonly callback: () => void }[] = [];

  get timers(): number {
    return this.#timers.length;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  setTimer(delayMs: number, callback: () => void): CancelTimer {
    const timer = { atMs: this.#nowMs + delayMs, callback };
    this.#timers = [...this.#timers, timer];
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  endOfTurn(callback: () => void): void {
    setImmediate(callback);
  }

  afterInput(callback: () => void): void {
    setImmediate(callback);
  }

  advance(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (;;) {
      const due = this.#timers.filter((timer) => timer.atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== due);
      this.#nowMs = due.atMs;
      due.callback();
    }
    this.#nowMs = endMs;
  }
}
