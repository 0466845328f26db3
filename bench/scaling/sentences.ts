import { type Curve, type CurveName, type CurvePoint, type CurveWork, type PointFigures, phraseOf } from './curve.ts';

/** A curve whose highest and lowest figure differ by less is called flat: a short run varies by a third. */
const flatWithin = 1.5;

const works: readonly CurveWork[] = ['put', 'get'];

interface Place {
  readonly x: number;
  readonly y: number;
}

/** What each curve says, in words: processor time of a request, and how many there were a second. */
export function sentencesOf(curve: Curve): readonly string[] {
  return works.flatMap((work) => [...cpuSentences(curve, work), ...rateSentences(curve, work)]);
}

function cpuSentences(curve: Curve, work: CurveWork): readonly string[] {
  const places = placesOf(curve.points, work, ({ cpuMicrosPerRequest }) => cpuMicrosPerRequest);
  const subject = `CPU per ${work}`;
  if (curve.name === 'value-size') return valueSizeSentences(subject, places);
  if (curve.name !== 'nodes') return courseOf(subject, 'µs', curve.name, places);
  const perNode = places.map(({ x, y }) => ({ x, y: y / x }));
  return [
    ...courseOf(subject, 'µs', curve.name, places),
    ...courseOf(`${subject} and node`, 'µs', curve.name, perNode),
  ];
}

/** Bytes take time; so the rate says nothing that the processor time does not. */
function rateSentences(curve: Curve, work: CurveWork): readonly string[] {
  if (curve.name === 'value-size') return [];
  const places = placesOf(curve.points, work, ({ requestsPerSecond }) => requestsPerSecond);
  return courseOf(`Throughput of ${work}s`, '/s', curve.name, places);
}

function placesOf(
  points: readonly CurvePoint[],
  work: CurveWork,
  figureOf: (figures: PointFigures) => number,
): readonly Place[] {
  return points.flatMap(({ x, [work]: figures }) => (figures === undefined ? [] : [{ x, y: figureOf(figures) }]));
}

/**
 * `CPU per put grows 1.8-fold from 64 to 4,096 connections`: between its first point, its lowest, its highest and its
 * last, where they differ by more than half. Nothing of less than two points.
 */
function courseOf(subject: string, unit: string, curve: CurveName, places: readonly Place[]): readonly string[] {
  const [first, last] = [places[0], places.at(-1)];
  if (first === undefined || last === undefined || first === last) return [];
  const { lowest, highest } = extremesOf(places);
  const whole = rangeOf(curve, first.x, last.x);
  if (highest.y / lowest.y <= flatWithin) {
    return [`${subject} is flat ${whole}: ${amount(lowest.y)} to ${amount(highest.y)} ${unit}.`];
  }
  const turns = [...new Set([first, lowest, highest, last])].toSorted((a, b) => a.x - b.x);
  const steps = turns.slice(1).flatMap((to, i) => {
    const from = turns[i];
    return from === undefined ? [] : stepOf(curve, from, to);
  });
  return [`${subject} ${steps.join(' and ')}.`];
}

function stepOf(curve: CurveName, from: Place, to: Place): readonly string[] {
  const ratio = to.y / from.y;
  const range = rangeOf(curve, from.x, to.x);
  if (ratio > flatWithin) return [`grows ${times(ratio)}-fold ${range}`];
  if (1 / ratio > flatWithin) return [`falls ${times(1 / ratio)}-fold ${range}`];
  return [];
}

/** A larger value has to cost more; what should be flat is the cost of a KiB, however large the value is already. */
function valueSizeSentences(subject: string, places: readonly Place[]): readonly string[] {
  const [first, last] = [places[0], places.at(-1)];
  if (first === undefined || last === undefined || first === last) return [];
  const { lowest, highest } = extremesOf(places);
  if (highest.y / lowest.y <= flatWithin) return courseOf(subject, 'µs', 'value-size', places);
  const ends = `${amount(first.y)} µs at ${phraseOf('value-size', first.x)}`;
  const start = `${subject} goes from ${ends} to ${amount(last.y)} µs at ${phraseOf('value-size', last.x)}`;
  const before = places.at(-2);
  if (before === undefined || before === first)
    return [`${start}: ${amount(perKiB(first, last))} µs for each KiB more.`];
  const [early, late] = [perKiB(first, before), perKiB(before, last)];
  const until = phraseOf('value-size', before.x);
  return [`${start}: ${amount(early)} µs for each KiB more up to ${until}, ${amount(late)} µs from there on.`];
}

function perKiB(from: Place, to: Place): number {
  return (to.y - from.y) / ((to.x - from.x) / 1024);
}

function extremesOf(places: readonly Place[]): { readonly lowest: Place; readonly highest: Place } {
  const sorted = places.toSorted((a, b) => a.y - b.y);
  const [lowest, highest] = [sorted[0], sorted.at(-1)];
  if (lowest === undefined || highest === undefined) throw new Error('a curve without points has no extremes');
  return { lowest, highest };
}

/** `from 1 to 4,096 connections`, `from 16 B to 1 MiB`. */
function rangeOf(curve: CurveName, from: number, to: number): string {
  if (curve === 'value-size') return `from ${phraseOf(curve, from)} to ${phraseOf(curve, to)}`;
  return `from ${from.toLocaleString('en-US')} to ${phraseOf(curve, to)}`;
}

function times(ratio: number): string {
  return ratio < 10 ? ratio.toFixed(1) : ratio.toFixed(0);
}

function amount(value: number): string {
  if (Math.abs(value) >= 10) return Math.round(value).toLocaleString('en-US');
  return value.toFixed(Math.abs(value) >= 1 ? 1 : 2);
}
