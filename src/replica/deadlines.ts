import type { CancelTimer, Clock } from '../base/clock.ts';

/** How late a deadline may be noticed. */
const sweepIntervalMs = 20;

export interface Deadline {
  readonly atMs: number;
  readonly onExpired: () => void;
}

/**
 * Ends what has waited too long. One timer for all: requests come and go by the ten thousand a second and hardly one
 * of them expires, so adding and removing is cheap and the sweep is not clever.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #pending = new Set<Deadline>();
  #cancelTimer: CancelTimer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#pending.size;
  }

  add(deadline: Deadline): void {
    this.#pending.add(deadline);
    this.#cancelTimer ??= this.#clock.setTimer(sweepIntervalMs, () => this.#sweep());
  }

  remove(deadline: Deadline): void {
    this.#pending.delete(deadline);
  }

  /** Ends everything at once. */
  expireAll(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const all = [...this.#pending];
    this.#pending.clear();
    for (const deadline of all) deadline.onExpired();
  }

  #sweep(): void {
    this.#cancelTimer = undefined;
    const now = this.#clock.monotonicMs();
    for (const deadline of this.#pending) {
      if (deadline.atMs > now) continue;
      this.#pending.delete(deadline);
      deadline.onExpired();
    }
    if (this.#pending.size > 0) this.#cancelTimer ??= this.#clock.setTimer(sweepIntervalMs, () => this.#sweep());
  }
}
