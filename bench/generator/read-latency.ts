import type { Client } from './clients/client.ts';
import type { ReadJob, ReadReport } from './commands.ts';
import { numberedKey } from './key-order.ts';
import { openClient } from './open-client.ts';

/** One request after the other for `seconds`. The clock stops when the answer is here; it is looked at afterwards. */
export async function readLatency(job: ReadJob): Promise<ReadReport> {
  const client = openClient(job.target, 1);
  const read = job.pageKeys === undefined ? pointRead(client, job) : pageRead(client, job, job.pageKeys);
  const millis: number[] = [];
  let wrong = 0;
  try {
    const end = performance.now() + job.seconds * 1000;
    for (let start = performance.now(); start < end; start = performance.now()) {
      const isRight = await read();
      millis.push(performance.now() - start);
      if (!isRight()) wrong++;
    }
    return { millis: Float64Array.from(millis), wrong };
  } finally {
    client.close();
  }
}

type TimedRead = () => Promise<() => boolean>;

function pointRead(client: Client, { prefix, keys, stale }: ReadJob): TimedRead {
  return async () => {
    const value = await client.get(numberedKey(prefix, Math.floor(Math.random() * keys)), { stale });
    return () => value !== undefined && value.length > 0;
  };
}

function pageRead(client: Client, { prefix, stale }: ReadJob, pageKeys: number): TimedRead {
  return async () => {
    const page = await client.page(prefix, pageKeys, { stale });
    return () => page.keyCount() === pageKeys;
  };
}
