import { setTimeout as delay } from 'node:timers/promises';
import type { FanOutJob, WriteReport } from './commands.ts';
import { monotonicMicros, openClient } from './open-client.ts';
import { randomTexts } from './random-text.ts';
import type { WatchSet } from './watch-set.ts';
import { stamped } from './write-at-rate.ts';

const deliveryTimeoutMs = 30_000;

/**
 * Writes as fast as they reach the watches of this process. A writer that only waited for acknowledgements would measure
 * how long a queue of events becomes while it writes, and how fast that queue is sent in large pieces.
 */
export async function fanOut(job: FanOutJob, watches: Pick<WatchSet, 'delivered'>): Promise<WriteReport> {
  const client = openClient(job.target, 1);
  const [filling = ''] = randomTexts(1, job.valueBytes);
  const sentMicros: number[] = [];
  const acknowledgedMicros: number[] = [];
  let lastFailure: string | undefined;
  try {
    const end = performance.now() + job.seconds * 1000;
    for (let write = job.share; performance.now() < end && lastFailure === undefined; write += job.shares) {
      const delivered = watches.delivered(write);
      const now = monotonicMicros();
      sentMicros.push(now);
      try {
        await client.put({ key: job.key, value: stamped(filling, write, now) });
        acknowledgedMicros.push(monotonicMicros());
        await within(deliveryTimeoutMs, delivered);
      } catch (reason) {
        lastFailure = reason instanceof Error ? reason.message : String(reason);
      }
    }
  } finally {
    client.close();
  }
  while (acknowledgedMicros.length < sentMicros.length) acknowledgedMicros.push(Number.NaN);
  return {
    sentMicros: Float64Array.from(sentMicros),
    acknowledgedMicros: Float64Array.from(acknowledgedMicros),
    lastFailure,
  };
}

async function within(timeoutMs: number, delivered: Promise<void>): Promise<void> {
  const abort = new AbortController();
  const timeout = delay(timeoutMs, undefined, { signal: abort.signal }).then(() => {
    throw new Error(`a write has not come to all watchers within ${timeoutMs} ms of its acknowledgement`);
  });
  try {
    await Promise.race([delivered, timeout]);
  } finally {
    abort.abort();
    // Aborted; or it came first, and the race has told it.
    await timeout.catch(() => undefined);
  }
}
