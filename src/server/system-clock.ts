import { performance } from 'node:perf_hooks';
import type { CancelTimer, Clock } from '../base/clock.ts';

/** The longest delay that `setTimeout` takes; a longer one fires at once. */
const timeoutMsMax = 2 ** 31 - 1;

/** The machine's time. */
export const systemClock: Clock = {
  monotonicMs: () => performance.now(),

  setTimer(delayMs: number, callback: () => void): CancelTimer {
    const dueMs = performance.now() + delayMs;
    let timeout = arm();
    return () => clearTimeout(timeout);

    function arm(): NodeJS.Timeout {
      const remainingMs = Math.max(0, dueMs - performance.now());
      return setTimeout(fire, Math.min(Math.ceil(remainingMs), timeoutMsMax)).unref();
    }

    /** Node.js counts from the start of the loop's turn, in whole milliseconds, and so may fire one too early. */
    function fire(): void {
      if (performance.now() < dueMs) timeout = arm();
      else callback();
    }
  },

  endOfTurn(callback: () => void): void {
    setImmediate(callback);
  },

  /** Immediates run after the poll phase: the first ends the present round, and a whole one lies before the second. */
  afterInput(callback: () => void): void {
    setImmediate(() => setImmediate(callback));
  },
};
