import type { CancelTimer, Clock } from '../../base/clock.ts';

interface Timer {
  readonly atMs: number;
  readonly callback: () => void;
}

/** Time that passes only when a test says so. Input and output go on by themselves meanwhile. */
export class VirtualClock implements Clock {
  #nowMs = 0;
  readonly #timers = new Set<Timer>();

  monotonicMs(): number {
    return this.#nowMs;
  }

  setTimer(delayMs: number, callback: () => void): CancelTimer {
    const timer = { atMs: this.#nowMs + delayMs, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  endOfTurn(callback: () => void): void {
    setImmediate(callback);
  }

  afterInput(callback: () => void): void {
    setImmediate(() => setImmediate(callback));
  }

  /** Lets the time pass, timer by timer; between two of them everything that can happen does. */
  async pass(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    for (;;) {
      await settled();
      const next = this.#next();
      if (next === undefined || next.atMs > endMs) break;
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      this.#timers.delete(next);
      next.callback();
    }
    this.#nowMs = endMs;
    await settled();
  }

  /** Passes time in small steps until the condition holds; throws if it does not within `withinMs`. */
  async until(what: string, condition: () => boolean, withinMs = 10_000): Promise<void> {
    const endMs = this.#nowMs + withinMs;
    await settled();
    while (!condition()) {
      if (this.#nowMs >= endMs) throw new Error(`not within ${withinMs} ms of virtual time: ${what}`);
      await this.pass(10);
    }
  }

  #next(): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) if (next === undefined || timer.atMs < next.atMs) next = timer;
    return next;
  }
}

/** Enough rounds of the event loop for a message to go back and forth and for a batch to be written. */
async function settled(): Promise<void> {
  for (let round = 0; round < 30; round++) await new Promise((resolve) => setImmediate(resolve));
}
