import { type ClientClock, hostClock } from './client-clock.ts';

/** The time was up before what ran had ended. */
export class TimeUp extends Error {
  override readonly name = 'TimeUp';
}

/**
 * Runs something until the time is up or the caller gives up, and rejects then whether or not it heeds its signal.
 *
 * Not by `AbortSignal.any` and `AbortSignal.timeout`: in Node.js 20 they hold their sources, and `fetch` holds its own
 * controller, so weakly that an abort can be collected with the garbage and never arrives. Here the timer and the
 * caller's signal hold what they end.
 *
 * @throws TimeUp, or the reason of the signal, or what the run rejects with.
 */
export function within<Result>(
  limits: { readonly timeoutMs: number; readonly signal: AbortSignal | undefined; readonly clock?: ClientClock },
  run: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const { timeoutMs, signal, clock = hostClock } = limits;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const stop = new AbortController();
    const giveUp = (reason: unknown): void => {
      settle();
      stop.abort(reason);
      reject(reason);
    };
    const onAbort = (): void => giveUp(signal?.reason);
    const cancelTimer = clock.setTimer(timeoutMs, () => giveUp(new TimeUp(`not within ${timeoutMs} ms`)));
    const settle = (): void => {
      cancelTimer();
      signal?.removeEventListener('abort', onAbort);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    run(stop.signal).finally(settle).then(resolve, reject);
  });
}
