import { setTimeout as delay } from 'node:timers/promises';
import { type Client, type Pair, RefusedError } from './clients/client.ts';
import type { LoadJob, LoadReport } from './commands.ts';
import { numberedKey, scattered } from './key-order.ts';
import { openClient } from './open-client.ts';
import { randomTexts } from './random-text.ts';

/** etcd takes 128 at most by default. */
export const putsPerTransaction = 100;

const retryDelayMs = 200;
const attemptsMax = 50;

/**
 * Keeps `outstanding` transactions under way until all keys are written. A transaction that fails is sent again after a
 * moment: servers under load may turn requests away, and that must cost time, not the run.
 */
export async function loadKeys(job: LoadJob): Promise<LoadReport> {
  const client = openClient(job.target, job.connections);
  const state = { transactions: 0, retries: 0, lastFailure: undefined as string | undefined };
  const total = Math.ceil(job.keys / putsOf(job)) * job.rounds;
  let next = job.share;
  const pairsOf = transactionsOf(job);

  async function worker(): Promise<void> {
    for (let mine = next; mine < total; mine = next) {
      next += job.shares;
      await write(client, pairsOf(mine), state);
      state.transactions++;
    }
  }

  try {
    await Promise.all(Array.from({ length: job.outstanding }, worker));
    return state;
  } finally {
    client.close();
  }
}

function putsOf(job: LoadJob): number {
  return job.putsPerTransaction ?? putsPerTransaction;
}

function transactionsOf(job: LoadJob): (transaction: number) => readonly Pair[] {
  const { prefix, keys, valueBytes } = job;
  const puts = putsOf(job);
  const indexAt = scattered(keys);
  const perRound = Math.ceil(keys / puts);
  return (transaction) => {
    const first = (transaction % perRound) * puts;
    const count = Math.min(puts, keys - first);
    return randomTexts(count, valueBytes).map((value, i) => ({ key: numberedKey(prefix, indexAt(first + i)), value }));
  };
}

interface Retries {
  retries: number;
  lastFailure: string | undefined;
}

async function write(client: Client, pairs: readonly Pair[], state: Retries): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await client.putAll(pairs);
    } catch (reason) {
      state.lastFailure = reason instanceof Error ? reason.message : String(reason);
      if (attempt === attemptsMax || (reason instanceof RefusedError && !reason.isTemporary)) throw reason;
      state.retries++;
      await delay(retryDelayMs);
    }
  }
}
