import { setTimeout as delay } from 'node:timers/promises';
import { awake, type Cluster } from '../clusters/cluster.ts';
import type { Deliveries, WriteReport } from '../generator/commands.ts';
import { GeneratorProcess } from '../generator/generator-process.ts';
import { scattered } from '../generator/key-order.ts';
import { MemorySampler } from '../memory-sampler.ts';
import { memoryOf } from '../process-usage.ts';
import { percentile } from '../statistics.ts';
import { checkDeliveries } from './check-deliveries.ts';
import { sum, targetOf } from './generators.ts';
import type { Ground, Outcome } from './trial.ts';
import { endAll, openWatches, watchTarget } from './watch-target.ts';

const prefix = 'watched/';
const writesPerSecond = 100;
const deliveryTimeoutMs = 30_000;
/** Connections come in; then they lie still. */
const restMs = 2000;

export const watchFigures = { p99FromCommit: 'p99 from commit to delivery' } as const;

/** Opens the watchers, writes past all of them, and checks every delivery. */
export async function writeToWatchers(ground: Ground, cluster: Cluster): Promise<Outcome> {
  const { watchers, watchSeconds, valueBytes } = ground.options;
  const { leader, watched } = await watchTarget(cluster, watchers);
  const { term } = await awake(cluster);
  using sampler = new MemorySampler([watched]);
  const rssBefore = memoryOf(watched.pid).rssBytes;
  const start = performance.now();
  const generators = await openWatches(cluster, watched, { kind: 'keys', prefix, count: watchers });
  try {
    const openSeconds = (performance.now() - start) / 1000;
    await delay(restMs);
    const rssWatched = memoryOf(watched.pid).rssBytes;
    ground.say(`${watchers} watchers; ${writesPerSecond} writes/s for ${watchSeconds} s`);

    using writer = new GeneratorProcess();
    await writer.ready();
    const writes = writesPerSecond * watchSeconds;
    const target = targetOf(cluster, leader);
    const report = await writer.call('write', { target, prefix, keys: watchers, valueBytes, writesPerSecond, writes });
    const acknowledged = report.acknowledgedMicros.filter((micros) => !Number.isNaN(micros)).length;
    const deliveries = await collectDeliveries(generators, acknowledged);
    const states = await Promise.all(generators.map((generator) => generator.call('watchState')));
    const leadership = await awake(cluster);

    const ended = sum(states.map((state) => state.ended));
    const times = deliveryTimes(report, deliveries);
    return {
      figures: [
        { name: 'p50 from commit to delivery', unit: 'ms', value: percentile(times.fromCommit, 50) },
        { name: watchFigures.p99FromCommit, unit: 'ms', value: percentile(times.fromCommit, 99) },
        { name: 'p50 from sending to delivery', unit: 'ms', value: percentile(times.fromSending, 50) },
        { name: 'p99 from sending to delivery', unit: 'ms', value: percentile(times.fromSending, 99) },
        { name: 'longest from sending to delivery', unit: 'ms', value: percentile(times.fromSending, 100) },
        { name: 'time to begin all watches', unit: 's', value: openSeconds },
        { name: 'memory of the node for a watcher', unit: 'KiB', value: (rssWatched - rssBefore) / 1024 / watchers },
        { name: 'peak memory of the node', unit: 'MiB', value: sampler.peaksMiB[0] ?? Number.NaN },
      ],
      problems: [
        ...checkDeliveries({ deliveries, acknowledgedMicros: report.acknowledgedMicros, indexAt: scattered(watchers) }),
        ...(report.lastFailure === undefined ? [] : [`a put failed: ${report.lastFailure}`]),
        ...(ended === 0
          ? []
          : [`${ended} watches were ended by the server: ${states.find((s) => s.lastReason)?.lastReason}`]),
        ...(leadership.term === term ? [] : ['there was an election']),
      ],
      details: {
        writes,
        events: sum(deliveries.map(({ write }) => write.length)),
        watchersWithEvents: new Set(deliveries.flatMap(({ watchedIndex }) => [...watchedIndex])).size,
        memorySamples: sampler.samples,
      },
    };
  } finally {
    endAll(generators);
  }
}

/** Waits for so many events, or until it has taken too long; what is missing is found later. */
export async function collectDeliveries(
  generators: readonly GeneratorProcess[],
  expected: number,
): Promise<readonly Deliveries[]> {
  for (const deadline = performance.now() + deliveryTimeoutMs; performance.now() < deadline; await delay(200)) {
    const states = await Promise.all(generators.map((generator) => generator.call('watchState')));
    if (sum(states.map(({ events }) => events)) >= expected) break;
  }
  // One that came twice may come a little later.
  await delay(1000);
  return Promise.all(generators.map((generator) => generator.call('takeDeliveries')));
}

/** In milliseconds; of events whose put was acknowledged. */
export function deliveryTimes(report: WriteReport, deliveries: readonly Deliveries[]) {
  const fromCommit: number[] = [];
  const fromSending: number[] = [];
  for (const { write, deliveredMicros } of deliveries) {
    for (const [i, number] of write.entries()) {
      const delivered = deliveredMicros[i] ?? Number.NaN;
      const sinceAcknowledged = delivered - (report.acknowledgedMicros[number] ?? Number.NaN);
      if (Number.isNaN(sinceAcknowledged)) continue;
      fromCommit.push(sinceAcknowledged / 1000);
      fromSending.push((delivered - (report.sentMicros[number] ?? Number.NaN)) / 1000);
    }
  }
  return { fromCommit, fromSending };
}
