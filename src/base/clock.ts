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
  /** Runs `callback` after the input that has already arrived was given to its handlers. */
  afterInput(callback: () => void): void;
}
