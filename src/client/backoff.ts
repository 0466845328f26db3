import { type ClientClock, hostClock } from './client-clock.ts';

/** Pauses between attempts: the first is none, then from `firstMs` on twice as long each time, up to `longestMs`. */
export class Backoff {
  readonly #firstMs: number;
  readonly #longestMs: number;
  #attempts = 0;

  constructor(options: { readonly firstMs: number; readonly longestMs: number }) {
    this.#firstMs = options.firstMs;
    this.#longestMs = options.longestMs;
  }

  /** Milliseconds; between half and all of the step, so that clients that lost the same server do not come back as one. */
  next(): number {
    const step = this.#attempts === 0 ? 0 : Math.min(this.#longestMs, this.#firstMs * 2 ** (this.#attempts - 1));
    this.#attempts += 1;
    return step * (0.5 + Math.random() / 2);
  }

  reset(): void {
    this.#attempts = 0;
  }
}

/** Resolves after a while, or at once when the signal is aborted. */
export function pause(ms: number, signal: AbortSignal | undefined, clock: ClientClock = hostClock): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const end = (): void => {
      cancel();
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const cancel = clock.setTimer(ms, end);
    signal?.addEventListener('abort', end, { once: true });
  });
}
