import { atRate } from './at-rate.ts';
import type { WriteJob, WriteReport } from './commands.ts';
import { numberedKey, scattered } from './key-order.ts';
import { monotonicMicros, openClient } from './open-client.ts';
import { randomTexts } from './random-text.ts';

const connections = 32;

/**
 * Each write is sent at its time. The value begins with the number of the write and the time when it was sent. Ends after `job.writes`, or when `stop` is aborted
 * and what is under way is answered.
 */
export async function writeAtRate(job: WriteJob, stop?: AbortSignal): Promise<WriteReport> {
  const client = openClient(job.target, connections);
  const sentMicros = new Float64Array(job.writes).fill(Number.NaN);
  const acknowledgedMicros = new Float64Array(job.writes).fill(Number.NaN);
  const [filling = ''] = randomTexts(1, job.valueBytes);
  const indexAt = scattered(job.keys);
  let lastFailure: string | undefined;

  async function send(write: number): Promise<void> {
    const now = monotonicMicros();
    sentMicros[write] = now;
    try {
      const key = numberedKey(job.prefix, indexAt(write % job.keys));
      await client.put({ key, value: stamped(filling, write, now) });
      acknowledgedMicros[write] = monotonicMicros();
    } catch (reason) {
      lastFailure = reason instanceof Error ? reason.message : String(reason);
    }
  }

  try {
    const sent = await atRate({ perSecond: job.writesPerSecond, max: job.writes, stop }, send);
    return {
      sentMicros: sentMicros.slice(0, sent),
      acknowledgedMicros: acknowledgedMicros.slice(0, sent),
      lastFailure,
    };
  } finally {
    client.close();
  }
}

/** As long as `filling`, which begins with the number of the write and the time when it was sent instead. */
export function stamped(filling: string, write: number, sentMicros: number): string {
  const stamp = `${write} ${Math.round(sentMicros)} `;
  return stamp + filling.slice(stamp.length);
}

/** The number of the write; NaN for a value without a stamp. */
export function writeOf(value: string): number {
  return Number(/^(\d+) \d+ /.exec(value)?.[1] ?? Number.NaN);
}
