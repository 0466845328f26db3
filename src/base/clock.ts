/** Stops a timer that has not fired yet; later calls do nothing. */
export type CancelTimer = () => void;

/**
 * Time, as everything from `replica/` down sees it. Durations are always measured on the monotonic clock: a wall
 * clock that is set forward or back must not elect leaders, expire leases or time out requests.
 */
export interface Clock {
  /** Milliseconds, with fractions, from an arbitrary start. Never goes back. */
  monotonicMs(): number;
  /** Runs `callback` once after at least `delayMs`. The timer does not keep the process alive. */
  setTimer(delayMs: number, callback: () => void): CancelTimer;
  /** Runs `callback` when the handlers of what was read together have run: the end of one turn of the event loop. */
  endOfTurn(callback: () => void): void;
  /**
   * Runs `callback` after one full poll round: everything that has arrived, also while the process was stalled, was
   * given to its handlers.
   */
  afterInput(callback: () => void): void;
}
