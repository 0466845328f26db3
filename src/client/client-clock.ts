import type { Clock } from '../base/clock.ts';

/** What the client needs of time; its timers keep a process alive. */
export type ClientClock = Pick<Clock, 'monotonicMs' | 'setTimer'>;

/** `setTimeout` takes more for 1 ms. */
const longestTimerMs = 2 ** 31 - 1;

/** The clock of Node.js, or of a browser. A timer of more than 24 days fires after 24 days. */
export const hostClock: ClientClock = {
  monotonicMs: () => performance.now(),
  setTimer(delayMs, callback) {
    const timer = setTimeout(callback, Math.min(Math.max(0, delayMs), longestTimerMs));
    return () => clearTimeout(timer);
  },
};
