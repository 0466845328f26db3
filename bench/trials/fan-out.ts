import { setTimeout as delay } from 'node:timers/promises';
import { awake, type Cluster } from '../clusters/cluster.ts';
import type { Deliveries, WriteReport } from '../generator/commands.ts';
import type { GeneratorProcess } from '../generator/generator-process.ts';
import { monotonicMicros } from '../generator/open-client.ts';
import { MemorySampler } from '../memory-sampler.ts';
import { machineCpuSeconds } from '../process-usage.ts';
import { percentile } from '../statistics.ts';
import { checkFanOut } from './check-fan-out.ts';
import { sum, targetOf } from './generators.ts';
import type { Ground, Outcome, Trial } from './trial.ts';
import { endAll, openWatches, watchTarget } from './watch-target.ts';
import { collectDeliveries, deliveryTimes } from './watched-writes.ts';

const key = 'fan-out/key';
const processes = 4;
/** V8 compiles what is used often in the first seconds, of the generators too. */
const warmUpSeconds = 3;

const figureNames = { rate: 'delivered events' } as const;

/** One key that very many want to know about: what a node can tell, where `watchers` asks how soon it tells. */
export const fanOutTrial: Trial = {
  name: 'fan-out',
  title: 'Very many watchers of one key',
  notes: [
    `All watchers are of one key on one follower, shared out over ${processes} processes. Each process puts to that key at the leader, one write at a time: the next when the last was acknowledged and has come to all its own watchers; so up to ${processes} writes are on their way. ${warmUpSeconds} s to warm up, then the measured time. Balsa: a connection for each watcher, text/event-stream over HTTP/1.1. etcd: a gRPC stream each, 100 streams a connection, which costs etcd less than a connection each.`,
    'Every acknowledged write has to come once to every watcher, in the same order to all, and not before one that was acknowledged when it was sent.',
    "The generator reads events on the cores that the nodes use. Where the machine's are all taken, the rate is that of generator and nodes together; processor time for an event is the node's alone.",
    'From commit: from the acknowledgement of the put in the writing process; an event may come before it, and the time is negative then.',
  ],
  goals: () => [{ title: "at least twice etcd's events a second", figure: figureNames.rate, ratioAtLeast: 2 }],
  isComparedByDefault: () => true,
  run,
};

async function run(ground: Ground): Promise<Outcome> {
  const { fanOutWatchers: watchers, fanOutSeconds: seconds } = ground.options;
  const cluster = await ground.startCluster();
  const { leader, watched } = await watchTarget(cluster, watchers);
  const { term } = await awake(cluster);
  using sampler = new MemorySampler([watched]);
  const generators = await openWatches(cluster, watched, { kind: 'key', key, count: watchers, processes });
  try {
    ground.say(`${watchers} watchers; ${seconds} s of writes`);
    const job = { target: targetOf(cluster, leader), key, valueBytes: ground.options.valueBytes };
    const shares = generators.length;
    const running = generators.map((generator, share) =>
      generator.call('fanOut', { ...job, share, shares, seconds: warmUpSeconds + seconds }),
    );
    const [period, reports] = await Promise.all([observe(cluster, generators, seconds), Promise.all(running)]);
    const report = merged(reports);
    const acknowledged = report.acknowledgedMicros.filter((micros) => !Number.isNaN(micros)).length;
    const deliveries = await collectDeliveries(generators, acknowledged * watchers);
    const states = await Promise.all(generators.map((generator) => generator.call('watchState')));
    const after = await awake(cluster);

    const measured = deliveries.map((delivery) => deliveriesWithin(delivery, period));
    const events = sum(measured.map(({ write }) => write.length));
    const { fromCommit } = deliveryTimes(report, measured);
    const ended = sum(states.map((state) => state.ended));
    const watchedCpuSeconds = period.nodeCpuSeconds[cluster.nodes.indexOf(watched)] ?? Number.NaN;
    return {
      figures: [
        { name: figureNames.rate, unit: '/s', value: events / period.seconds },
        { name: 'writes', unit: '/s', value: events / watchers / period.seconds },
        { name: 'p50 from commit to delivery', unit: 'ms', value: percentile(fromCommit, 50) },
        { name: 'p99 from commit to delivery', unit: 'ms', value: percentile(fromCommit, 99) },
        { name: 'longest from commit to delivery', unit: 'ms', value: percentile(fromCommit, 100) },
        {
          name: "processor time of the watchers' node for an event",
          unit: 'µs',
          value: (1e6 * watchedCpuSeconds) / events,
        },
        { name: "cores of the watchers' node", unit: '', value: watchedCpuSeconds / period.seconds },
        { name: 'cores of the three nodes', unit: '', value: sum(period.nodeCpuSeconds) / period.seconds },
        { name: 'cores of the generator', unit: '', value: period.generatorCpuSeconds / period.seconds },
        { name: 'cores of the whole machine', unit: '', value: period.machineCpuSeconds / period.seconds },
        { name: "peak memory of the watchers' node", unit: 'MiB', value: sampler.peaksMiB[0] ?? Number.NaN },
      ],
      problems: [
        ...checkFanOut({ watchers, deliveries, report }),
        ...(report.lastFailure === undefined ? [] : [`writing ended early: ${report.lastFailure}`]),
        ...(ended === 0
          ? []
          : [`${ended} watches were ended by the server: ${states.find((s) => s.lastReason)?.lastReason}`]),
        ...(after.term === term ? [] : ['there was an election']),
      ],
      details: { acknowledged, events, period, processes: shares, memorySamples: sampler.samples },
    };
  } finally {
    endAll(generators);
  }
}

interface Period {
  /** Of the machine's monotonic clock, which the generators share. */
  readonly fromMicros: number;
  readonly toMicros: number;
  readonly seconds: number;
  /** By node, in their order. */
  readonly nodeCpuSeconds: readonly number[];
  readonly generatorCpuSeconds: number;
  readonly machineCpuSeconds: number;
}

/** What was taken in the measured time, which begins when all are warm. */
async function observe(cluster: Cluster, generators: readonly GeneratorProcess[], seconds: number): Promise<Period> {
  await delay(warmUpSeconds * 1000);
  const look = () => ({
    micros: monotonicMicros(),
    nodes: cluster.nodes.map(({ cpuSeconds }) => cpuSeconds),
    generators: sum(generators.map(({ cpuSeconds }) => cpuSeconds)),
    machine: machineCpuSeconds(),
  });
  const before = look();
  await delay(seconds * 1000);
  const after = look();
  return {
    fromMicros: before.micros,
    toMicros: after.micros,
    seconds: (after.micros - before.micros) / 1e6,
    nodeCpuSeconds: after.nodes.map((cpuSeconds, i) => cpuSeconds - (before.nodes[i] ?? Number.NaN)),
    generatorCpuSeconds: after.generators - before.generators,
    machineCpuSeconds: after.machine - before.machine,
  };
}

/** By number of the write: share `n` of `shares` wrote `n`, `n + shares`, … A number that was not reached is NaN. */
function merged(reports: readonly WriteReport[]): WriteReport {
  const places = Math.max(...reports.map(({ sentMicros }) => sentMicros.length));
  const byNumber = (what: 'sentMicros' | 'acknowledgedMicros') =>
    Float64Array.from({ length: places * reports.length }, (_, write) => {
      const place = Math.floor(write / reports.length);
      return reports[write % reports.length]?.[what][place] ?? Number.NaN;
    });
  return {
    sentMicros: byNumber('sentMicros'),
    acknowledgedMicros: byNumber('acknowledgedMicros'),
    lastFailure: reports.map(({ lastFailure }) => lastFailure).find((reason) => reason !== undefined),
  };
}

function deliveriesWithin({ watchedIndex, write, deliveredMicros }: Deliveries, period: Period): Deliveries {
  const isWithin = (_: number, i: number): boolean => {
    const delivered = deliveredMicros[i] ?? Number.NaN;
    return delivered >= period.fromMicros && delivered < period.toMicros;
  };
  return {
    watchedIndex: watchedIndex.filter(isWithin),
    write: write.filter(isWithin),
    deliveredMicros: deliveredMicros.filter(isWithin),
  };
}
