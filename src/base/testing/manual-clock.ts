import type { CancelTimer, Clock } from '../clock.ts';

interface Timer {
  readonly dueMs: number;
  readonly callback: () => void;
}

/** A clock that stands until a test moves it. The turns of the event loop are real: sockets and files work as ever. */
export class ManualClock implements Clock {
  #nowMs = 0;
  readonly #timers = new Set<Timer>();

  monotonicMs(): number {
    return this.#nowMs;
  }

  setTimer(delayMs: number, callback: () => void): CancelTimer {
    const timer = { dueMs: this.#nowMs + delayMs, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  endOfTurn(callback: () => void): void {
    setImmediate(callback);
  }

  afterInput(callback: () => void): void {
    setImmediate(() => setImmediate(callback));
  }

  /** Timers that are left. */
  get timers(): number {
    return this.#timers.size;
  }

  /** Time passes without anything in between; each timer fires in its turn, at its own time. */
  advance(ms: number): void {
    const endMs = this.#nowMs + ms;
    while (this.fireNext(endMs));
    this.#nowMs = endMs;
  }

  /** Moves to the next timer that falls due by then, and fires it; false if there is none. */
  fireNext(byMs: number): boolean {
    let next: Timer | undefined;
    for (const timer of this.#timers) if (next === undefined || timer.dueMs < next.dueMs) next = timer;
    if (next === undefined || next.dueMs > byMs) return false;
    this.#timers.delete(next);
    this.#nowMs = Math.max(this.#nowMs, next.dueMs);
    next.callback();
    return true;
  }

  /** Timers that fell due meanwhile fire late, as after a stop of the process. */
  leap(ms: number): void {
    this.#nowMs += ms;
    const due = [...this.#timers].filter(({ dueMs }) => dueMs <= this.#nowMs).sort((a, b) => a.dueMs - b.dueMs);
    for (const timer of due) if (this.#timers.delete(timer)) timer.callback();
  }
}
