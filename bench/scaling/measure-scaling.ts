import { setTimeout as delay } from 'node:timers/promises';
import { awake, type Cluster, type ClusterStart, remove } from '../clusters/cluster.ts';
import type { GeneratorProcess } from '../generator/generator-process.ts';
import type { KeySet } from '../keys.ts';
import { openFilesMax } from '../process-usage.ts';
import { http1Shapes } from '../scenarios.ts';
import { loadKeys } from '../trials/generators.ts';
import { mustHaveRoom } from '../trials/room.ts';
import { endAll, mustTakeConnections, openWatches } from '../trials/watch-target.ts';
import { type Curve, type CurveName, curveNames, curveOf } from './curve.ts';
import { measureCurve, type PointPlan, type Recorder, reasonOf, scenarioOf } from './measure-point.ts';
import { clusterSizes, decades, type ScalingOptions, valueSizes } from './scaling-options.ts';
import type { Scaling } from './scaling-result.ts';

export interface ScalingRun {
  readonly options: ScalingOptions;
  /** Balsa's. */
  start(how: ClusterStart): Promise<Cluster>;
  say(line: string): void;
}

const usualConnections = 64;
/** 64 values of a MiB under way are as much as a leader takes before it turns requests away. */
const connectionsOfLargestValues = 8;
const largeValueBytes = 1_048_576;

const usualKeys: KeySet = { prefix: 'scaling/', digits: 8, keys: 10_000, valueBytes: 256 };
/** Values of one size, all together; fewer keys where values are large. */
const valuesBytesMax = 64 * 2 ** 20;
/** Of one transaction of the load. */
const transactionBytesMax = 2 ** 19;
/** After a load: tables are merged, buffers written. */
const loadBytesPerSecondOfRest = 32 * 2 ** 20;
const bytesAroundValue = 100;
const leastWatchers = 100;
const leastKeys = 1000;
/** wrk's own: its script, its output, what Node has open. */
const otherFilesOfGenerator = 100;

/** On each new cluster, before its first point. */
const firstWarmUpSeconds = { put: 4, get: 2 } as const;

/** One curve after the other, one cluster at a time, each of its own but where curves do not get in each other's way. */
export async function measureScaling({ options, start, say }: ScalingRun): Promise<Scaling> {
  const recorder: Recorder = {
    seconds: options.seconds,
    measurements: [],
    total: 2 * options.curves.reduce((sum, name) => sum + placesOf(name, options).length, 0),
    done: 0,
    say: (line) => say(`scaling: ${line}`),
  };
  const ground: CurveGround = { options, start, recorder };
  const curves: Curve[] = [];
  const wanted = (name: CurveName): boolean => options.curves.includes(name);
  // None of the two leaves anything behind that the other would notice.
  const shared = (['connections', 'watchers'] as const).filter(wanted);
  if (shared.length > 0) curves.push(...(await curvesOnOneCluster(ground, shared)));
  if (wanted('value-size')) curves.push(...(await curvesOnOneCluster(ground, ['value-size'])));
  if (wanted('keys')) curves.push(...(await curvesOnOneCluster(ground, ['keys'])));
  if (wanted('nodes')) curves.push(await curveOfNodes(ground));
  const inOrder = curves.toSorted((a, b) => curveNames.indexOf(a.name) - curveNames.indexOf(b.name));
  return { curves: inOrder, measurements: recorder.measurements };
}

interface CurveGround {
  readonly options: ScalingOptions;
  readonly recorder: Recorder;
  start(how: ClusterStart): Promise<Cluster>;
}

/** The values of x, in the order in which they are measured: what a point adds to a cluster stays for those after it. */
function placesOf(name: CurveName, { connections, keysMax, watchersMax }: ScalingOptions): readonly number[] {
  switch (name) {
    case 'value-size':
      return valueSizes;
    case 'keys':
      return decades(leastKeys, keysMax);
    case 'connections':
      return connections;
    case 'nodes':
      return clusterSizes;
    case 'watchers':
      return [0, ...decades(leastWatchers, watchersMax)];
  }
}

async function curvesOnOneCluster(
  ground: CurveGround,
  names: readonly Exclude<CurveName, 'nodes'>[],
): Promise<readonly Curve[]> {
  const curves: Curve[] = [];
  try {
    await withCluster(ground, { nodes: 3, isFilled: !names.includes('keys') }, async (cluster) => {
      for (const name of names) {
        using watchers = new Watchers(cluster);
        const plans = placesOf(name, ground.options).map((x) => planOf(name, x, cluster, watchers));
        curves.push(await measureCurve(ground.recorder, cluster, name, plans));
      }
    });
  } catch (failure) {
    const reason = reasonOf(failure);
    ground.recorder.say(`! ${reason}`);
    const missing = names.filter((name) => !curves.some((curve) => curve.name === name));
    return [...curves, ...missing.map((name) => notMeasured(name, placesOf(name, ground.options), reason))];
  }
  return curves;
}

/** Each point has a cluster of its own. */
async function curveOfNodes(ground: CurveGround): Promise<Curve> {
  const parts: Curve[] = [];
  for (const nodes of placesOf('nodes', ground.options)) {
    const plan: PointPlan = { x: nodes, connections: usualConnections, prepare: async () => usualKeys };
    try {
      await withCluster(ground, { nodes, isFilled: true }, async (cluster) => {
        parts.push(await measureCurve(ground.recorder, cluster, 'nodes', [plan]));
      });
    } catch (failure) {
      ground.recorder.say(`! ${reasonOf(failure)}`);
      parts.push(notMeasured('nodes', [nodes], reasonOf(failure)));
    }
  }
  return curveOf(
    'nodes',
    parts.flatMap(({ points }) => points),
    parts.flatMap(({ omitted }) => omitted),
  );
}

function notMeasured(name: CurveName, places: readonly number[], reason: string): Curve {
  const omitted = places.map((x) => ({ x, reason }));
  return curveOf(name, [], omitted);
}

function planOf(name: Exclude<CurveName, 'nodes'>, x: number, cluster: Cluster, watchers: Watchers): PointPlan {
  const usual = { x, connections: usualConnections };
  switch (name) {
    case 'value-size':
      return {
        x,
        connections: x >= largeValueBytes ? connectionsOfLargestValues : usualConnections,
        prepare: () => write(cluster, keysOfSize(x)),
      };
    case 'keys':
      return { ...usual, prepare: () => write(cluster, { ...usualKeys, keys: x }) };
    case 'connections':
      return { x, connections: x, prepare: async () => mustAllowConnections(await leaderOf(cluster), x) };
    case 'watchers':
      return {
        ...usual,
        prepare: async () => {
          await watchers.raiseTo(x);
          return usualKeys;
        },
      };
  }
}

function keysOfSize(valueBytes: number): KeySet {
  const keys = Math.min(usualKeys.keys, Math.floor(valuesBytesMax / valueBytes));
  return { ...usualKeys, prefix: `scaling-${valueBytes}/`, keys, valueBytes };
}

/** Ends with the cluster removed, whatever happens. */
async function withCluster(
  { start, recorder }: CurveGround,
  { nodes, isFilled }: { readonly nodes: number; readonly isFilled: boolean },
  use: (cluster: Cluster) => Promise<void>,
): Promise<void> {
  recorder.say(`a cluster of ${nodes} starts`);
  const cluster = await start({ nodes });
  try {
    await awake(cluster);
    await write(cluster, isFilled ? usualKeys : { ...usualKeys, keys: leastKeys });
    await warmUp(cluster);
    await use(cluster);
  } finally {
    await remove(cluster);
  }
}

/** V8 compiles while it runs, and heaps grow to their working size. Of the keys that every cluster has. */
async function warmUp(cluster: Cluster): Promise<void> {
  const [shape] = http1Shapes(usualConnections);
  if (shape === undefined) throw new Error('the usual connections have no shape');
  for (const work of ['put', 'get'] as const) {
    const target = await leaderOf(cluster);
    const keySet = { ...usualKeys, keys: leastKeys };
    await cluster.drive({
      work: scenarioOf(work).work,
      target,
      shape,
      seconds: firstWarmUpSeconds[work],
      seed: 1,
      keySet,
    });
  }
}

async function leaderOf(cluster: Cluster) {
  return (await awake(cluster)).leader;
}

/** Every key once, by the loader of the trials, and a rest as long as the load was large. */
async function write(cluster: Cluster, keySet: KeySet): Promise<KeySet> {
  const { prefix, keys, valueBytes } = keySet;
  mustHaveRoom(cluster, { keys, valueBytes });
  const putsPerTransaction = Math.max(1, Math.min(100, Math.floor(transactionBytesMax / valueBytes)));
  await loadKeys(cluster, await leaderOf(cluster), { prefix, keys, rounds: 1, valueBytes, putsPerTransaction });
  await delay((1000 * keys * (valueBytes + bytesAroundValue)) / loadBytesPerSecondOfRest);
  return keySet;
}

function mustAllowConnections(leader: Awaited<ReturnType<typeof leaderOf>>, connections: number): KeySet {
  mustTakeConnections(leader, connections);
  const [allowed, needed] = [openFilesMax(process.pid), connections + otherFilesOfGenerator];
  if (allowed < needed) throw new Error(`wrk may open ${allowed} files and needs ${needed}: ulimit -n ${needed}`);
  return usualKeys;
}

/** Watchers on the leader, which all requests go to; each on a key of its own, none of which is ever written. */
class Watchers implements Disposable {
  readonly #cluster: Cluster;
  readonly #generators: GeneratorProcess[] = [];
  #count = 0;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  async raiseTo(count: number): Promise<void> {
    if (count === this.#count) return;
    const leader = await leaderOf(this.#cluster);
    mustTakeConnections(leader, count);
    const watches = { kind: 'keys', prefix: `unwritten-${count}/`, count: count - this.#count } as const;
    this.#generators.push(...(await openWatches(this.#cluster, leader, watches)));
    this.#count = count;
  }

  [Symbol.dispose](): void {
    endAll(this.#generators);
  }
}
