import type { CancelTimer, Clock } from '../base/clock.ts';
import type { PeerAnswer } from './transport.ts';

/** How late a deadline may be noticed. */
const sweepIntervalMs = 20;

interface Pending {
  readonly resolve: (answer: PeerAnswer) => void;
  readonly atMs: number;
  /** It left, or was handed to the kernel: from here on it may have had an effect. */
  sent: boolean;
}

/** Requests to one peer without an answer. Each is resolved exactly once. */
export class PendingRequests {
  readonly #clock: Clock;
  readonly #onExpired: (id: number) => void;
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  #cancelTimer: CancelTimer | undefined;

  /** `onExpired` is told which requests nobody waits for any more and that were not sent. */
  constructor(clock: Clock, onExpired: (id: number) => void) {
    this.#clock = clock;
    this.#onExpired = onExpired;
  }

  get size(): number {
    return this.#pending.size;
  }

  /** Ids are not used twice, so that a late answer finds nobody. */
  nextId(): number {
    return this.#nextId++;
  }

  add(id: number, timeoutMs: number): Promise<PeerAnswer> {
    this.#cancelTimer ??= this.#clock.setTimer(sweepIntervalMs, () => this.#sweep());
    return new Promise((resolve) => {
      this.#pending.set(id, { resolve, atMs: this.#clock.monotonicMs() + timeoutMs, sent: false });
    });
  }

  markSent(id: number): void {
    const pending = this.#pending.get(id);
    if (pending !== undefined) pending.sent = true;
  }

  resolve(id: number, answer: PeerAnswer): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#pending.delete(id);
    pending.resolve(answer);
  }

  /** The connection is gone. */
  endAll(reason: string): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    for (const id of [...this.#pending.keys()]) this.#end(id, reason);
  }

  #end(id: number, reason: string): void {
    const outcome = this.#pending.get(id)?.sent === true ? 'lost' : 'not_sent';
    this.resolve(id, { outcome, reason });
  }

  /** One timer for all: they come and go by the thousand a second, and hardly one of them expires. */
  #sweep(): void {
    this.#cancelTimer = undefined;
    const now = this.#clock.monotonicMs();
    for (const [id, { atMs, sent }] of this.#pending) {
      if (atMs > now) continue;
      if (!sent) this.#onExpired(id);
      this.#end(id, sent ? 'no answer came in time' : 'the time was up before it could be sent');
    }
    if (this.#pending.size > 0) this.#cancelTimer = this.#clock.setTimer(sweepIntervalMs, () => this.#sweep());
  }
}
