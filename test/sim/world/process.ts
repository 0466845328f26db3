import type { CancelTimer, Clock } from '../../../src/base/clock.ts';
import type { Process, Scheduler } from './scheduler.ts';

/** How long the turn of a process that is not slowed down takes. */
const turnMs = 0.01;

/**
 * One run of a member's process: its clock and its event loop. It can be stopped and continued, slowed down, and
 * killed; its clock may run at another rate than the world's, and jump ahead.
 */
export class SimulatedProcess implements Process, Clock {
  readonly #scheduler: Scheduler;
  #isGone = false;
  #isPaused = false;
  #deferred: (() => void)[] = [];
  #turnMs = turnMs;
  #rate = 1;
  /** World and own time when the rate changed last. */
  #since: { readonly worldMs: number; readonly ownMs: number };

  constructor(scheduler: Scheduler, startMs: number) {
    this.#scheduler = scheduler;
    this.#since = { worldMs: scheduler.nowMs, ownMs: startMs };
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  monotonicMs(): number {
    return this.#since.ownMs + (this.#scheduler.nowMs - this.#since.worldMs) * this.#rate;
  }

  /** Never in the same turn: a wait shorter than the clock can tell would let time stand still. */
  setTimer(delayMs: number, callback: () => void): CancelTimer {
    return this.#scheduler.after(Math.max(turnMs, delayMs / this.#rate), this, callback);
  }

  endOfTurn(callback: () => void): void {
    this.#scheduler.after(this.#turnMs, this, callback);
  }

  afterInput(callback: () => void): void {
    this.endOfTurn(() => this.endOfTurn(callback));
  }

  /** As by kill -9: nothing of it happens any more. */
  kill(): void {
    this.#isGone = true;
    this.#deferred = [];
  }

  pause(): void {
    this.#isPaused = true;
  }

  /** Timers that fell due meanwhile and input that arrived are handled one after the other, all at once. */
  resume(): void {
    this.#isPaused = false;
    const deferred = this.#deferred;
    this.#deferred = [];
    for (const [i, run] of deferred.entries()) this.#scheduler.after(i * turnMs, this, run);
  }

  defer(run: () => void): void {
    this.#deferred.push(run);
  }

  /** Each turn of the event loop takes that long from now on; without a number as long as usual. */
  slowDown(ms: number = turnMs): void {
    this.#turnMs = ms;
  }

  /** Own milliseconds per millisecond of the world. */
  setRate(rate: number): void {
    this.#since = { worldMs: this.#scheduler.nowMs, ownMs: this.monotonicMs() };
    this.#rate = rate;
  }

  /** As after a machine was suspended: timers that are set stay where they are in the world's time, so they are late. */
  jump(byMs: number): void {
    this.#since = { worldMs: this.#scheduler.nowMs, ownMs: this.monotonicMs() + byMs };
  }
}
