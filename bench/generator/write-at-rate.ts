import { setTimeout as delay } from 'node:timers/promises';
import type { WriteJob, WriteReport } from './commands.ts';
import { numberedKey, scattered } from './key-order.ts';
import { monotonicMicros, openClient } from './open-client.ts';
import { randomTexts } from './random-text.ts';

const connections = 32;

/**
 * Each write is sent at its time, not when the one before is answered: a server that stalls is seen to stall. The value
 * begins with the number of the write and the time when it was sent.
 */
export async function writeAtRate(job: WriteJob): Promise<WriteReport> {
  const client = openClient(job.target, connections);
  const sentMicros = new Float64Array(job.writes).fill(Number.NaN);
  const acknowledgedMicros = new Float64Array(job.writes).fill(Number.NaN);
  const [filling = ''] = randomTexts(1, job.valueBytes);
  const indexAt = scattered(job.keys);
  let lastFailure: string | undefined;

  async function send(write: number): Promise<void> {
    const now = monotonicMicros();
    sentMicros[write] = now;
    const value = `${stampOf(write, now)}${filling}`.slice(0, Math.max(job.valueBytes, stampOf(write, now).length));
    try {
      await client.put({ key: numberedKey(job.prefix, indexAt(write % job.keys)), value });
      acknowledgedMicros[write] = monotonicMicros();
    } catch (reason) {
      lastFailure = reason instanceof Error ? reason.message : String(reason);
    }
  }

  try {
    const start = performance.now();
    const underWay: Promise<void>[] = [];
    for (let write = 0; write < job.writes; write++) {
      await delay(Math.max(0, start + (write * 1000) / job.writesPerSecond - performance.now()));
      underWay.push(send(write));
    }
    await Promise.all(underWay);
    return { sentMicros, acknowledgedMicros, lastFailure };
  } finally {
    client.close();
  }
}

function stampOf(write: number, sentMicros: number): string {
  return `${write} ${Math.round(sentMicros)} `;
}

/** The number of the write; NaN for a value that `writeAtRate` did not write. */
export function writeOf(value: string): number {
  return Number(/^(\d+) \d+ /.exec(value)?.[1] ?? Number.NaN);
}
