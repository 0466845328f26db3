import type { Clock } from '../base/clock.ts';
import type { TransportLog } from './transport.ts';

const repeatAfterMs = 10 * 60 * 1000;
const keysMax = 256;

/** Warnings about what is tried again and again: each is written once, and again after ten minutes. */
export class SeldomLog {
  readonly #log: TransportLog;
  readonly #clock: Clock;
  /** Oldest first. */
  readonly #lastMs = new Map<string, number>();

  constructor(log: TransportLog, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  /** `subject` and `kind` together say what counts as the same warning. */
  warn(subject: string, kind: string, event: string, facts: Record<string, unknown>): void {
    const key = `${subject} ${kind}`;
    const now = this.#clock.monotonicMs();
    if (now - (this.#lastMs.get(key) ?? -Infinity) < repeatAfterMs) return;
    this.#lastMs.delete(key);
    this.#lastMs.set(key, now);
    const [oldest] = this.#lastMs.keys();
    if (oldest !== undefined && this.#lastMs.size > keysMax) this.#lastMs.delete(oldest);
    this.#log.warn(event, facts);
  }

  /** All is well with the subject: its next warning is news. */
  forget(subject: string): void {
    for (const key of this.#lastMs.keys()) if (key.startsWith(`${subject} `)) this.#lastMs.delete(key);
  }
}
