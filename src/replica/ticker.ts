import type { CancelTimer, Clock } from '../base/clock.ts';

/**
 * Ticks by elapsed monotonic time. After a stall of the event loop, expired timers run before the sockets are read:
 * an election timer would fire although the leader's heartbeats wait in the kernel. A late tick therefore waits until
 * that input was handled, and however late it is, it counts once: a burst of ticks would depose a leader that only
 * slept.
 */
export class Ticker {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #onTick: () => void;
  #cancelTimer: CancelTimer | undefined;
  #dueMs = 0;
  #stopped = false;

  constructor(clock: Clock, intervalMs: number, onTick: () => void) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
    this.#onTick = onTick;
  }

  start(): void {
    this.#dueMs = this.#clock.monotonicMs() + this.#intervalMs;
    this.#schedule();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelTimer?.();
  }

  #schedule(): void {
    if (this.#stopped) return;
    const delayMs = Math.max(0, this.#dueMs - this.#clock.monotonicMs());
    this.#cancelTimer = this.#clock.setTimer(delayMs, () => this.#fire());
  }

  #fire(): void {
    const lateMs = this.#clock.monotonicMs() - this.#dueMs;
    if (lateMs > this.#intervalMs / 2) this.#clock.afterInput(() => this.#tick());
    else this.#tick();
  }

  #tick(): void {
    if (this.#stopped) return;
    const now = this.#clock.monotonicMs();
    // Keeps the rhythm after a small delay, and starts a new one after a stall.
    this.#dueMs = now - this.#dueMs > this.#intervalMs ? now + this.#intervalMs : this.#dueMs + this.#intervalMs;
    this.#onTick();
    this.#schedule();
  }
}
