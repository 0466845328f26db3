import { type Curve, type CurvePoint, type CurveWork, labelOf, type PointFigures } from './curve.ts';
import { type LogScale, logScale, scaleAround, ticksOf } from './log-axis.ts';

export interface ChartText {
  readonly title: string;
  /** Under the title: the machine, the version, the day. */
  readonly lines: readonly string[];
}

interface Line {
  readonly work: CurveWork;
  readonly isDashed: boolean;
  figureOf(figures: PointFigures): number;
}

interface Column {
  readonly title: string;
  readonly lines: readonly Line[];
}

const colors: Readonly<Record<CurveWork, string>> = { put: '#b3470b', get: '#1257a8' };

const columns: readonly Column[] = [
  column('requests a second', [{ isDashed: false, figureOf: (figures) => figures.requestsPerSecond }]),
  column('latency, ms', [
    { isDashed: false, figureOf: (figures) => figures.p50Millis },
    { isDashed: true, figureOf: (figures) => figures.p99Millis },
  ]),
  column('CPU of all nodes per request, µs', [{ isDashed: false, figureOf: (figures) => figures.cpuMicrosPerRequest }]),
];

/** In pixels. A panel is drawn inside its cell, with room for labels. */
const cell = { width: 390, height: 250 };
const inset = { left: 52, right: 16, top: 40, bottom: 46 };
const plot = { width: cell.width - inset.left - inset.right, height: cell.height - inset.top - inset.bottom };
const head = { lineHeight: 18, gap: 24 };

/**
 * A picture (SVG) with a row for each curve and a column for each figure. All axes are logarithmic; those of one column
 * are alike, but for values of all sizes, which would leave the others no height to differ in.
 */
export function drawChart(curves: readonly Curve[], { title, lines }: ChartText): string {
  const headHeight = 40 + lines.length * head.lineHeight + head.gap;
  const width = columns.length * cell.width + 10;
  const height = headHeight + curves.length * cell.height;
  const scaleOf = (curve: Curve, one: Column): LogScale => {
    const alike = curves.filter(({ name }) => (name === 'value-size') === (curve.name === 'value-size'));
    return scaleAround(alike.flatMap(({ points }) => valuesOf(points, one)));
  };
  const panels = curves.flatMap((curve, row) =>
    columns.map((one, i) => {
      const place = `translate(${i * cell.width} ${headHeight + row * cell.height})`;
      return `<g transform="${place}">${panel(curve, one, scaleOf(curve, one))}</g>`;
    }),
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"`,
    ` font-family="system-ui, 'Helvetica Neue', Arial, sans-serif" font-size="11" fill="#222">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    text(20, 32, title, 'font-size="20" font-weight="600"'),
    ...lines.map((line, i) => text(20, 54 + i * head.lineHeight, line, 'font-size="12" fill="#555"')),
    legend(width),
    ...panels,
    '</svg>\n',
  ].join('\n');
}

function column(title: string, lines: readonly Omit<Line, 'work'>[]): Column {
  return { title, lines: (['put', 'get'] as const).flatMap((work) => lines.map((line) => ({ ...line, work }))) };
}

function valuesOf(points: readonly CurvePoint[], { lines }: Column): readonly number[] {
  return lines.flatMap(({ work, figureOf }) =>
    points.flatMap(({ [work]: figures }) => (figures === undefined ? [] : [figureOf(figures)])),
  );
}

function legend(width: number): string {
  const entries = [
    { label: 'put', color: colors.put, isDashed: false },
    { label: 'get', color: colors.get, isDashed: false },
    { label: 'latency: p50', color: '#555', isDashed: false },
    { label: 'p99', color: '#555', isDashed: true },
  ];
  const lefts = [0, 70, 140, 250].map((left) => width - 330 + left);
  return entries
    .map(({ label, color, isDashed }, i) => {
      const x = lefts[i] ?? 0;
      return `${stroke(color, isDashed, `M${x} 28h24`)}${text(x + 30, 32, label, 'font-size="12"')}`;
    })
    .join('\n');
}

function panel(curve: Curve, { title, lines }: Column, yScale: LogScale): string {
  const xs = curve.points.map(({ x }) => x);
  const xScale = horizontalScale(xs);
  const place = (x: number, y: number): readonly [number, number] => [
    rounded(inset.left + xScale(x) * plot.width),
    rounded(inset.top + (1 - yScale.at(y)) * plot.height),
  ];
  return [
    text(inset.left, 16, curve.title, 'font-size="13" font-weight="600"'),
    text(inset.left, 31, title, 'fill="#555"'),
    horizontalAxis(curve, xs, (x) => place(x, yScale.low)[0]),
    verticalAxis(yScale, (y) => place(xs[0] ?? 1, y)[1]),
    ...lines.map((line) => curveLine(curve.points, line, place)),
  ].join('\n');
}

/** Where a curve begins at none at all, which a logarithm has no place for, that stands a decade before the next. */
function horizontalScale(xs: readonly number[]): (x: number) => number {
  const positive = xs.filter((x) => x > 0);
  const [low, high] = [Math.min(...positive), Math.max(...positive)];
  const start = xs.includes(0) ? low / 10 : low;
  if (positive.length === 0 || !(high > start)) return () => 0.5;
  const scale = logScale(start, high);
  return (x) => (x === 0 ? 0 : scale.at(x));
}

function horizontalAxis(curve: Curve, xs: readonly number[], at: (x: number) => number): string {
  const bottom = inset.top + plot.height;
  return [
    `<path d="M${inset.left} ${bottom}h${plot.width}" stroke="#888" fill="none"/>`,
    ...xs.map((x) => `<path d="M${at(x)} ${bottom}v4" stroke="#888"/>`),
    ...xs.map((x) => text(at(x), bottom + 16, labelOf(curve.name, x), 'text-anchor="middle"')),
    text(inset.left + plot.width / 2, bottom + 33, curve.axis, 'text-anchor="middle" fill="#555"'),
  ].join('\n');
}

function verticalAxis(scale: LogScale, at: (y: number) => number): string {
  return ticksOf(scale)
    .flatMap(({ value, label }) => [
      `<path d="M${inset.left} ${at(value)}h${plot.width}" stroke="#e4e4e4"/>`,
      text(inset.left - 6, at(value) + 4, label, 'text-anchor="end"'),
    ])
    .join('\n');
}

function curveLine(
  points: readonly CurvePoint[],
  { work, isDashed, figureOf }: Line,
  place: (x: number, y: number) => readonly [number, number],
): string {
  const places = points.flatMap(({ x, [work]: figures }) => {
    const y = figures === undefined ? Number.NaN : figureOf(figures);
    return y > 0 ? [place(x, y)] : [];
  });
  if (places.length === 0) return '';
  const dots = places.map(([x, y]) => `<circle cx="${x}" cy="${y}" r="2.6" fill="${colors[work]}"/>`);
  return [stroke(colors[work], isDashed, `M${places.map((pair) => pair.join(' ')).join('L')}`), ...dots].join('');
}

function stroke(color: string, isDashed: boolean, path: string): string {
  const dashes = isDashed ? ' stroke-dasharray="5 4"' : '';
  return `<path d="${path}" fill="none" stroke="${color}" stroke-width="1.8"${dashes}/>`;
}

function text(x: number, y: number, content: string, attributes: string): string {
  return `<text x="${rounded(x)}" y="${rounded(y)}" ${attributes}>${escaped(content)}</text>`;
}

/** A tenth of a pixel. */
function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
