import { atRate } from './at-rate.ts';
import type { Client } from './clients/client.ts';
import type { MixedJob, MixedReport } from './commands.ts';
import { numberedKey, scattered } from './key-order.ts';
import { openClient } from './open-client.ts';
import { randomTexts } from './random-text.ts';

/** To each node. */
const connections = 16;
const valuesMax = 64;

/** Puts and gets in turn, through all nodes in turn, with a tally that is taken from time to time. */
export class MixedLoad {
  #tally = newTally();
  #running: { readonly stop: AbortController; readonly done: Promise<void> } | undefined;

  /** As fast as answers come, with so many requests waited for; resolves with what became of them. */
  async saturate(
    job: MixedJob,
    { outstanding, seconds }: { outstanding: number; seconds: number },
  ): Promise<MixedReport> {
    this.#mustRest();
    const requests = new Requests(job, this.#tally);
    try {
      const end = performance.now() + seconds * 1000;
      let next = 0;
      const worker = async (): Promise<void> => {
        while (performance.now() < end) await requests.send(next++);
      };
      await Promise.all(Array.from({ length: outstanding }, worker));
      return this.take();
    } finally {
      requests.close();
    }
  }

  /** Goes on behind other commands until `end`. */
  begin(job: MixedJob, perSecond: number): void {
    this.#mustRest();
    const stop = new AbortController();
    const requests = new Requests(job, this.#tally);
    const pace = { perSecond, max: Number.MAX_SAFE_INTEGER, stop: stop.signal };
    const done = atRate(pace, (request) => requests.send(request)).then(() => requests.close());
    this.#running = { stop, done };
  }

  /** What has become of requests since it was last asked. */
  take(): MixedReport {
    const { sent, failed, lastFailure, putMillis, getMillis } = this.#tally;
    Object.assign(this.#tally, newTally());
    return {
      sent,
      failed,
      lastFailure,
      putMillis: Float64Array.from(putMillis),
      getMillis: Float64Array.from(getMillis),
    };
  }

  /** Sends no more, waits for what is under way, and tells what `take` would. */
  async end(): Promise<MixedReport> {
    const running = this.#running;
    if (running === undefined) throw new Error('no puts and gets are under way');
    this.#running = undefined;
    running.stop.abort();
    await running.done;
    return this.take();
  }

  #mustRest(): void {
    if (this.#running !== undefined) throw new Error('puts and gets are under way already');
  }
}

interface Tally {
  sent: number;
  failed: number;
  lastFailure: string | undefined;
  putMillis: number[];
  getMillis: number[];
}

function newTally(): Tally {
  return { sent: 0, failed: 0, lastFailure: undefined, putMillis: [], getMillis: [] };
}

class Requests {
  readonly #job: MixedJob;
  readonly #tally: Tally;
  readonly #clients: readonly Client[];
  readonly #values: readonly string[];
  readonly #indexAt: (place: number) => number;

  constructor(job: MixedJob, tally: Tally) {
    this.#job = job;
    this.#tally = tally;
    this.#clients = job.targets.map((target) => openClient(target, connections, { takesTurns: true }));
    this.#values = randomTexts(valuesMax, job.valueBytes);
    this.#indexAt = scattered(job.keys);
  }

  async send(request: number): Promise<void> {
    const tally = this.#tally;
    const [isPut, turn] = [request % 2 === 0, Math.floor(request / 2)];
    tally.sent++;
    const start = performance.now();
    try {
      await this.#ask(isPut, turn);
      (isPut ? tally.putMillis : tally.getMillis).push(performance.now() - start);
    } catch (reason) {
      tally.failed++;
      tally.lastFailure = reason instanceof Error ? reason.message : String(reason);
    }
  }

  close(): void {
    for (const client of this.#clients) client.close();
  }

  async #ask(isPut: boolean, turn: number): Promise<void> {
    const client = this.#clients[turn % this.#clients.length];
    if (client === undefined) throw new Error('puts and gets need a node to go to');
    const { prefix, keys } = this.#job;
    // Not what is being written at the same time.
    const place = isPut ? turn : turn + Math.floor(keys / 2);
    const key = numberedKey(prefix, this.#indexAt(place % keys));
    if (isPut) return client.put({ key, value: this.#values[turn % this.#values.length] ?? '' });
    const value = await client.get(key, { stale: false });
    if (value?.length !== this.#job.valueBytes) throw new Error(`${key} has a value of ${value?.length} bytes`);
  }
}
