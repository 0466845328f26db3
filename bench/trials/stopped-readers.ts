import { setTimeout as delay } from 'node:timers/promises';
import { awake, type Cluster } from '../clusters/cluster.ts';
import type { ServerProcess } from '../clusters/server-process.ts';
import type { GeneratorProcess } from '../generator/generator-process.ts';
import { MemorySampler } from '../memory-sampler.ts';
import { memoryOf } from '../process-usage.ts';
import { type LoadFigures, loadKeys } from './generators.ts';
import type { Ground, Outcome } from './trial.ts';
import { endAll, openWatches, watchTarget } from './watch-target.ts';

const prefix = 'stopped/';
const valueBytes = 1000;
const keys = 10_000;
const megabytesARound = (keys * valueBytes) / 1e6;
/** Short: Balsa ends a connection on which nothing was read for a minute, and the readers read on before that. */
const restMs = 4000;
/** Readers who read on in the end, to see that nothing was lost for them. */
const readersResumed = 3;
const catchUpTimeoutMs = 60_000;

export const stoppedReaderFigures = { added: 'added to the peak by stopped readers' } as const;

/**
 * The same writes with nobody watching, to know what the writing itself takes, and past readers that have stopped. Then some of them read on and have to get every event.
 */
export async function measureStoppedReaders(ground: Ground, cluster: Cluster): Promise<Outcome> {
  const { stoppedReaders, eventMegabytes } = ground.options;
  const { leader, watched } = await watchTarget(cluster, stoppedReaders);
  const rounds = Math.max(1, Math.round(eventMegabytes / megabytesARound));
  const write = (): Promise<LoadFigures> => loadKeys(cluster, leader, { prefix, keys, rounds, valueBytes });

  // The first time the node's heap and caches grow to their working size, whoever reads.
  await write();
  await delay(restMs);
  const without = await memoryDuring(watched, write);
  const readers = await openWatches(cluster, watched, { kind: 'prefix', prefix, count: stoppedReaders });
  try {
    await Promise.all(readers.map((generator) => generator.call('pauseWatches')));
    await delay(restMs);
    const { term } = await awake(cluster);
    ground.say(`${stoppedReaders} readers have stopped; ${eventMegabytes} MB of events`);
    const past = await memoryDuring(watched, write);
    const leadership = await awake(cluster);
    const problems = await problemsOfResumed(readers, keys * rounds);
    return {
      figures: [
        { name: stoppedReaderFigures.added, unit: 'MiB', value: past.peakMiB - without.peakMiB },
        { name: 'peak of the node with stopped readers', unit: 'MiB', value: past.peakMiB },
        { name: 'peak by the same writes without readers', unit: 'MiB', value: without.peakMiB },
        { name: 'memory of the node before', unit: 'MiB', value: past.beforeMiB },
        { name: 'writes past stopped readers', unit: 'keys/s', value: past.load.keysPerSecond },
        { name: 'writes without readers', unit: 'keys/s', value: without.load.keysPerSecond },
      ],
      problems: [
        ...problems,
        ...(leadership.term === term ? [] : ['there was an election while events were written past stopped readers']),
      ],
      details: { past, without },
    };
  } finally {
    endAll(readers);
  }
}

interface MemoryUse {
  readonly beforeMiB: number;
  readonly peakMiB: number;
  readonly load: LoadFigures;
  readonly samples: MemorySampler['samples'];
}

async function memoryDuring(node: ServerProcess, write: () => Promise<LoadFigures>): Promise<MemoryUse> {
  const beforeMiB = memoryOf(node.pid).rssBytes / 2 ** 20;
  using sampler = new MemorySampler([node]);
  const load = await write();
  await delay(restMs);
  return { beforeMiB, peakMiB: sampler.peaksMiB[0] ?? Number.NaN, load, samples: sampler.samples };
}

/**
 * What the first readers have not got when they read on. The others stay stopped: a hundred gigabytes is nothing to
 * wait for.
 */
async function problemsOfResumed(
  [reader]: readonly GeneratorProcess[],
  eventsEach: number,
): Promise<readonly string[]> {
  if (reader === undefined) return [];
  const before = await reader.call('watchState');
  await reader.call('resumeWatches', readersResumed);
  const expected = before.events + readersResumed * eventsEach;
  let state = before;
  for (const deadline = performance.now() + catchUpTimeoutMs; performance.now() < deadline; await delay(200)) {
    state = await reader.call('watchState');
    if (state.events >= expected || state.ended > 0) break;
  }
  const missing = expected - state.events;
  if (missing === 0) return [];
  if (state.ended > 0) return [`a reader that read on was cut off (${state.lastReason}) and lacks ${missing} events`];
  return [`readers that read on lack ${missing} events after ${catchUpTimeoutMs / 1000} s`];
}
