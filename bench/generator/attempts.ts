import { setTimeout as delay } from 'node:timers/promises';
import { atRate } from './at-rate.ts';
import type { Client } from './clients/client.ts';
import type { AttemptJob, WriteReport } from './commands.ts';
import { numberedKey } from './key-order.ts';
import { monotonicMicros, openClient } from './open-client.ts';

/** To each node; more than the attempts that can be under way to it, so that none waits for a connection. */
const connections = 64;
const value = 'small';
const acknowledgedTimeoutMs = 60_000;
const pollMs = 5;

/** Puts that are sent at their times whatever became of those before, to see from when on they work again. */
export class Attempts {
  #running: Running | undefined;

  begin(job: AttemptJob): void {
    if (this.#running !== undefined) throw new Error('attempts are under way already');
    this.#running = new Running(job);
  }

  /** In microseconds of `monotonicMicros`. */
  async firstAcknowledged(sentAfterMicros: number, timeoutMs = acknowledgedTimeoutMs): Promise<number> {
    const running = this.#mustRun();
    for (const deadline = performance.now() + timeoutMs; performance.now() < deadline; await delay(pollMs)) {
      const first = running.firstAcknowledged(sentAfterMicros);
      if (first !== undefined) return first;
    }
    throw new Error(`no put succeeded within ${timeoutMs} ms; the last failure: ${running.lastFailure ?? 'none'}`);
  }

  /** Sends no more, waits for what is under way, and tells what became of all. */
  async end(): Promise<WriteReport> {
    const running = this.#mustRun();
    this.#running = undefined;
    return running.end();
  }

  #mustRun(): Running {
    if (this.#running === undefined) throw new Error('no attempts are under way');
    return this.#running;
  }
}

class Running {
  readonly #job: AttemptJob;
  readonly #clients: readonly Client[];
  readonly #stop = new AbortController();
  readonly #sentMicros: number[] = [];
  readonly #acknowledgedMicros: number[] = [];
  readonly #done: Promise<number>;
  #lastFailure: string | undefined;

  constructor(job: AttemptJob) {
    this.#job = job;
    this.#clients = job.targets.map((target) => openClient(target, target.cluster === 'balsa' ? connections : 1));
    const pace = { perSecond: 1000 / job.intervalMs, max: Number.MAX_SAFE_INTEGER, stop: this.#stop.signal };
    this.#done = atRate(pace, (attempt) => this.#send(attempt));
  }

  get lastFailure(): string | undefined {
    return this.#lastFailure;
  }

  firstAcknowledged(sentAfterMicros: number): number | undefined {
    const times = this.#acknowledgedMicros.filter(
      (acknowledged, attempt) =>
        !Number.isNaN(acknowledged) && (this.#sentMicros[attempt] ?? Number.NaN) > sentAfterMicros,
    );
    return times.length === 0 ? undefined : Math.min(...times);
  }

  async end(): Promise<WriteReport> {
    this.#stop.abort();
    await this.#done;
    for (const client of this.#clients) client.close();
    return {
      sentMicros: Float64Array.from(this.#sentMicros),
      acknowledgedMicros: Float64Array.from(this.#acknowledgedMicros),
      lastFailure: this.#lastFailure,
    };
  }

  async #send(attempt: number): Promise<void> {
    const { prefix, first, timeoutMs } = this.#job;
    this.#sentMicros[attempt] = monotonicMicros();
    this.#acknowledgedMicros[attempt] = Number.NaN;
    try {
      const client = this.#clients[attempt % this.#clients.length];
      if (client === undefined) throw new Error('attempts need a node to go to');
      await client.put({ key: numberedKey(prefix, first + attempt), value }, timeoutMs);
      this.#acknowledgedMicros[attempt] = monotonicMicros();
    } catch (reason) {
      this.#lastFailure = reason instanceof Error ? reason.message : String(reason);
    }
  }
}
