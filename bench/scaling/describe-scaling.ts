import { aligned, thousands } from '../text-table.ts';
import { type Curve, type CurvePoint, type CurveWork, labelOf, type PointFigures, phraseOf } from './curve.ts';
import { sentencesOf } from './sentences.ts';

const head = ['', 'put/s', 'p50 ms', 'p99 ms', 'CPU µs', 'get/s', 'p50 ms', 'p99 ms', 'CPU µs'];
/** Above this share of its one core the generator is what limits. */
const busyCores = 0.9;

export const scalingNotes: readonly string[] = [
  'Balsa alone, over HTTP/1.1 by wrk: puts and linearizable gets of keys taken at random, all sent to the leader, over 64 connections with one request each; three nodes, 10,000 keys, values of 256 bytes that do not compress, unless the curve says otherwise. Each figure is of one run, after a warm-up of a second on nodes that have worked for some seconds.',
  'CPU is user and system time of all nodes for one request; it contains what the run itself opened connections for.',
  'Size of a value: 64 MiB of values at most, so 1,024 keys of 64 KiB and 64 of 1 MiB, and those of 1 MiB over 8 connections. A larger value has to cost more; the sentence gives the cost of each further KiB.',
  'Keys in the store: the same keys are written again by each larger load, so that there are exactly so many; requests go to all of them. After a load the nodes rest for a second for each 32 MiB.',
  'Watchers: each on a key of its own that is never written, over connections of their own to the leader. What it costs to tell watchers of what is written is measured by the trial "watchers".',
  'A curve is called flat where its highest figure is at most 1.5 times its lowest.',
];

/** Tables with a sentence for each curve. */
export function describeScaling(curves: readonly Curve[]): readonly string[] {
  return [...curves.map(describeCurve), ...busyGenerators(curves), scalingNotes.map((note) => `- ${note}`).join('\n')];
}

function describeCurve(curve: Curve): string {
  const lines = curve.points.map((point) => cells(curve, point));
  return [
    curve.title,
    ...(lines.length === 0 ? [] : [aligned([head, ...lines])]),
    ...curve.omitted.map(
      ({ x, work, reason }) => `  ! ${phraseOf(curve.name, x)}${work ? `, ${work}` : ''}: ${reason}`,
    ),
    ...sentencesOf(curve).map((sentence) => `  ${sentence}`),
  ].join('\n');
}

function cells(curve: Curve, { x, put, get }: CurvePoint): readonly string[] {
  return [labelOf(curve.name, x), ...figureCells(put), ...figureCells(get)];
}

function figureCells(figures: PointFigures | undefined): readonly string[] {
  if (figures === undefined) return ['–', '–', '–', '–'];
  const { requestsPerSecond, p50Millis, p99Millis, cpuMicrosPerRequest } = figures;
  return [thousands(requestsPerSecond), millis(p50Millis), millis(p99Millis), thousands(cpuMicrosPerRequest)];
}

function busyGenerators(curves: readonly Curve[]): readonly string[] {
  const busy = curves.flatMap((curve) =>
    curve.points.flatMap((point) =>
      (['put', 'get'] as const satisfies readonly CurveWork[])
        .filter((work) => (point[work]?.generatorCores ?? 0) > busyCores)
        .map((work) => `${work} with ${phraseOf(curve.name, point.x)}`),
    ),
  );
  return busy.length === 0 ? [] : [`Limited by the load generator, which has one thread: ${busy.join(', ')}`];
}

function millis(value: number): string {
  return value < 10 ? value.toFixed(2) : value.toFixed(1);
}
