import type { Client } from './clients/client.ts';
import type { VerifyJob, VerifyReport } from './commands.ts';
import { numberedKey } from './key-order.ts';
import { openClient } from './open-client.ts';

/** Counts the keys and looks at some of them, evenly spread. */
export async function verifyKeys({ target, prefix, keys, valueBytes, samples }: VerifyJob): Promise<VerifyReport> {
  const client = openClient(target, 1);
  try {
    const sampleCount = Math.min(samples, keys);
    let wrongSamples = 0;
    for (let i = 0; i < sampleCount; i++) {
      const value = await client.get(numberedKey(prefix, Math.floor((i * keys) / sampleCount)), { stale: false });
      if (value?.length !== valueBytes) wrongSamples++;
    }
    return { count: await countInParts(client, prefix, keys), wrongSamples };
  } finally {
    client.close();
  }
}

/** Keys whose numbers begin with the same three of eight digits. */
const partKeys = 100_000;
const partDigits = 3;

/** Counting ten million keys at once would take longer than a server lets a request take. */
async function countInParts(client: Client, prefix: string, keys: number): Promise<number> {
  let count = 0;
  for (let first = 0; first < keys; first += partKeys) {
    count += await client.count(numberedKey(prefix, first).slice(0, prefix.length + partDigits));
  }
  return count;
}
