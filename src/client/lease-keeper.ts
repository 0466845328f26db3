import { BalsaError } from '../contract/errors.ts';
import type { LeaseId } from '../contract/lease.ts';
import { Backoff, pause } from './backoff.ts';
import type { ClientClock } from './client-clock.ts';
import { TimeUp, within } from './within.ts';

export interface LeaseKeeperOptions {
  readonly clock: ClientClock;
  readonly id: LeaseId;
  readonly ttlSeconds: number;
  /** When the renewal that gave this TTL was sent, by the clock. */
  readonly renewedAtMs: number;
  /** For one renewal. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  readonly onRenewed: ((ttlSeconds: number) => void) | undefined;
  readonly renew: (limits: {
    readonly timeoutMs: number;
    readonly signal: AbortSignal;
  }) => Promise<{ readonly ttl: number }>;
}

/**
 * Renews a lease at a third of its TTL. A renewal that fails is tried again until the TTL is over, counted from when the
 * last good one was sent: the server counts from later, so the lease is never held to be alive when it is not.
 */
export class LeaseKeeper implements AsyncDisposable {
  readonly id: LeaseId;
  readonly #options: LeaseKeeperOptions;
  readonly #closing = new AbortController();
  readonly #losing = new AbortController();
  readonly #ended: Promise<void>;
  #ttlMs: number;
  #renewedAtMs: number;

  /** Use `Leases.keep`. */
  constructor(options: LeaseKeeperOptions) {
    this.id = options.id;
    this.#options = options;
    this.#ttlMs = options.ttlSeconds * 1000;
    this.#renewedAtMs = options.renewedAtMs;
    this.#ended = this.#run();
  }

  /**
   * Aborted when the lease may have ended: it was revoked, or could not be renewed in time. Its reason is a
   * `BalsaError`: `lease_not_found`, or why the last renewal failed. What the lease protects has to stop then.
   */
  get lost(): AbortSignal {
    return this.#losing.signal;
  }

  /** Seconds that the last renewal gave. */
  get ttl(): number {
    return this.#ttlMs / 1000;
  }

  /** Ends the renewing, and leaves the lease to end by itself or be revoked. Idempotent. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#ended;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run(): Promise<void> {
    const { signal } = this.#options;
    const close = (): void => this.#closing.abort();
    if (signal?.aborted) close();
    signal?.addEventListener('abort', close, { once: true });
    try {
      while (!this.#closing.signal.aborted) {
        await this.#pauseUntil(this.#renewedAtMs + this.#ttlMs / 3);
        await this.#renewInTime();
      }
    } catch (reason) {
      if (!this.#closing.signal.aborted) this.#losing.abort(BalsaError.from(reason));
    } finally {
      signal?.removeEventListener('abort', close);
    }
  }

  /** @throws BalsaError if the lease is gone, or has to be taken for gone. */
  async #renewInTime(): Promise<void> {
    const { clock, onRenewed } = this.#options;
    const deadline = this.#renewedAtMs + this.#ttlMs;
    const backoff = new Backoff({
      firstMs: Math.min(50, this.#ttlMs / 30),
      longestMs: Math.min(1000, this.#ttlMs / 12),
    });
    let failure: BalsaError | undefined;
    while (!this.#closing.signal.aborted) {
      const sentAtMs = clock.monotonicMs();
      if (sentAtMs >= deadline) throw this.#lateFor(failure);
      try {
        const { ttl } = await this.#attempt(deadline - sentAtMs);
        this.#renewedAtMs = sentAtMs;
        this.#ttlMs = ttl * 1000;
        return onRenewed?.(ttl);
      } catch (reason) {
        failure = BalsaError.from(reason);
        // Anything else may be mended by time or by another member.
        if (failure.code === 'lease_not_found' || failure.code === 'bad_request') throw failure;
      }
      await this.#pauseUntil(Math.min(clock.monotonicMs() + backoff.next(), deadline));
    }
  }

  /** Leaves time for another attempt, also if this one is never answered. */
  async #attempt(remainingMs: number): Promise<{ readonly ttl: number }> {
    const { clock, renew } = this.#options;
    const timeoutMs = Math.ceil(Math.min(this.#options.timeoutMs, this.#ttlMs / 3, remainingMs));
    const limits = { timeoutMs, signal: this.#closing.signal, clock };
    return within(limits, (signal) => renew({ timeoutMs, signal })).catch((cause: unknown) => {
      if (!(cause instanceof TimeUp)) throw cause;
      throw new BalsaError('timeout', `The renewal was not answered within ${timeoutMs} ms.`, { cause });
    });
  }

  #pauseUntil(atMs: number): Promise<void> {
    const { clock } = this.#options;
    return pause(atMs - clock.monotonicMs(), this.#closing.signal, clock);
  }

  #lateFor(failure: BalsaError | undefined): BalsaError {
    const why = failure === undefined ? 'this process did not run in time' : failure.detail;
    return new BalsaError(
      failure?.code ?? 'timeout',
      `The lease could not be renewed within its TTL of ${this.ttl} s and may have ended: ${why}`,
      { cause: failure },
    );
  }
}
