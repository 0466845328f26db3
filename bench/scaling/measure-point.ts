import { setTimeout as delay } from 'node:timers/promises';
import { awake, type Cluster } from '../clusters/cluster.ts';
import type { KeySet } from '../keys.ts';
import { type Measurement, measure } from '../measure.ts';
import { describeMeasurement } from '../report.ts';
import { http1Shapes, type Scenario, scenarios } from '../scenarios.ts';
import type { Curve, CurveName, CurvePoint, CurveWork, Omission, PointFigures } from './curve.ts';
import { curveOf, phraseOf } from './curve.ts';

/** V8 has compiled by then: the nodes were warmed up when they started. */
const warmUpSeconds = 1;
const settlePollMs = 50;
const settleTimeoutMs = 10_000;

const works: readonly CurveWork[] = ['put', 'get'];

/** What is to be measured at one place of a curve. */
export interface PointPlan {
  readonly x: number;
  readonly connections: number;
  /** Makes the cluster ready for the point; throws an error that says why the point cannot be measured. */
  prepare(): Promise<KeySet>;
}

/** Collects what was measured, and tells how far it has come. */
export interface Recorder {
  readonly seconds: number;
  readonly measurements: Measurement[];
  /** One line for each of `total` requests of a kind at a point. */
  readonly total: number;
  done: number;
  say(line: string): void;
}

/** One point after the other on a cluster; what fails is left out with its reason, and the others go on. */
export async function measureCurve(
  recorder: Recorder,
  cluster: Cluster,
  name: CurveName,
  plans: readonly PointPlan[],
): Promise<Curve> {
  const points: CurvePoint[] = [];
  const omitted: Omission[] = [];
  for (const plan of plans) {
    const { point, reasons } = await measurePoint(recorder, cluster, name, plan);
    if (point.put !== undefined || point.get !== undefined) points.push(point);
    omitted.push(...reasons);
  }
  return curveOf(name, points, omitted);
}

interface MeasuredPoint {
  readonly point: CurvePoint;
  readonly reasons: readonly Omission[];
}

async function measurePoint(
  recorder: Recorder,
  cluster: Cluster,
  name: CurveName,
  { x, connections, prepare }: PointPlan,
): Promise<MeasuredPoint> {
  const keySet = await prepare().catch(reasonOf);
  if (typeof keySet === 'string') {
    for (const work of works) tell(recorder, `${phraseOf(name, x)}, ${work}`, `! ${keySet}`);
    return { point: { x }, reasons: [{ x, reason: keySet }] };
  }
  const figures: { put?: PointFigures; get?: PointFigures } = {};
  const reasons: Omission[] = [];
  for (const work of works) {
    const result = await run(recorder, cluster, work, connections, keySet).catch(reasonOf);
    const line = typeof result === 'string' ? `! ${result}` : describeMeasurement(result);
    tell(recorder, `${phraseOf(name, x)}, ${work}`, line);
    if (typeof result === 'string') reasons.push({ x, work, reason: result });
    else if (result.problems.length > 0) reasons.push({ x, work, reason: result.problems.join('; ') });
    else figures[work] = figuresOf(result);
  }
  return { point: { x, ...figures }, reasons };
}

async function run(
  recorder: Recorder,
  cluster: Cluster,
  work: CurveWork,
  connections: number,
  keySet: KeySet,
): Promise<Measurement> {
  const [shape] = http1Shapes(connections);
  if (shape === undefined) throw new Error(`${connections} connections have no shape`);
  const round = recorder.done + 1;
  const scenario = scenarioOf(work);
  const { leader: target } = await awake(cluster);
  await cluster.drive({ work: scenario.work, target, shape, seconds: warmUpSeconds, seed: round, keySet });
  await settled(cluster);
  const { seconds } = recorder;
  const measurement = await measure({
    cluster,
    scenario,
    shape,
    round,
    seconds,
    isWarm: true,
    keySet,
  });
  recorder.measurements.push(measurement);
  return measurement;
}

/** Large puts whose client has gone are still worked on for a while, which is no part of what comes next. */
async function settled(cluster: Cluster): Promise<void> {
  let revision = -1;
  for (const deadline = performance.now() + settleTimeoutMs; performance.now() < deadline; await delay(settlePollMs)) {
    const leadership = await cluster.leadership();
    if (leadership?.revision === revision) return;
    revision = leadership?.revision ?? -1;
  }
  throw new Error(`puts go on ${settleTimeoutMs} ms after their clients have gone`);
}

function tell(recorder: Recorder, what: string, line: string): void {
  recorder.done++;
  const { done, total } = recorder;
  recorder.say(`[${String(done).padStart(String(total).length)}/${total}] ${what.padEnd(24)} ${line}`);
}

export function scenarioOf(wanted: CurveWork): Scenario {
  const found = scenarios.find(({ work, role }) => work === wanted && role === 'leader');
  if (found === undefined) throw new Error(`there is no scenario of a ${wanted} at the leader`);
  return found;
}

function figuresOf({
  requestsPerSecond,
  latencyMillis,
  cpuMicrosPerRequest,
  generatorCores,
}: Measurement): PointFigures {
  const { p50: p50Millis, p99: p99Millis } = latencyMillis;
  return { requestsPerSecond, p50Millis, p99Millis, cpuMicrosPerRequest, generatorCores };
}

export function reasonOf(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason);
}
