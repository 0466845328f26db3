import { el, setText, svg, uniqueId } from './dom.ts';

export interface ChartLine {
  readonly name: string;
  /** One number a point; undefined where nothing can be said. */
  readonly values: readonly (number | undefined)[];
}

export interface ChartOptions {
  readonly title: string;
  /** Of whom it tells. */
  readonly scope: string;
  readonly format: (value: number) => string;
  /** The large figure: that of the first line, or the highest of all. Default: first. */
  readonly figure?: 'first' | 'highest';
  /** What the top of the scale is a round number of. Default: decimal. */
  readonly scale?: 'decimal' | 'binary';
  /** The top of the scale is never lower. */
  readonly leastTop: number;
  readonly pointsMax: number;
  readonly intervalSeconds: number;
}

const width = 320;
const height = 84;

/** A small live chart: the newest value in figures, and how it came about. */
export class Chart {
  readonly element: HTMLElement;
  readonly #options: ChartOptions;
  readonly #value = el('p', { class: 'chart-value' });
  readonly #legend = el('p', { class: 'chart-legend' });
  readonly #top = el('span', { class: 'chart-top' });
  readonly #tip = el('div', { class: 'chart-tip', hidden: true });
  readonly #plot: SVGSVGElement;
  readonly #gradient = uniqueId('fill');
  #lines: readonly ChartLine[] = [];

  constructor(options: ChartOptions) {
    this.#options = options;
    this.#plot = svg('svg', {
      class: 'chart-plot',
      role: 'img',
      viewBox: `0 0 ${width} ${height}`,
      preserveAspectRatio: 'none',
      onpointermove: (event: PointerEvent) => this.#point(event),
      onpointerleave: () => {
        this.#tip.hidden = true;
      },
    });
    this.element = el(
      'figure',
      { class: 'chart' },
      el('figcaption', {}, options.title, el('span', {}, options.scope)),
      el('div', { class: 'chart-figures' }, this.#value, this.#legend),
      el('div', { class: 'chart-frame' }, this.#top, this.#plot, this.#tip),
    );
  }

  draw(lines: readonly ChartLine[]): void {
    this.#lines = lines;
    const { format, title, scope, leastTop } = this.#options;
    const all = lines.flatMap(({ values }) => values.filter((value) => value !== undefined));
    const highest = Math.max(leastTop, ...all);
    const top = this.#options.scale === 'binary' ? 2 ** Math.ceil(Math.log2(highest)) : niceTop(highest);
    this.#plot.replaceChildren(this.#defs(), ...[0, 0.5, 1].map(gridLine));
    for (const [i, line] of lines.entries()) this.#plot.append(...this.#drawLine(line, i, top, lines.length === 1));
    const newest = lines.map(({ values }) => values.findLast((value) => value !== undefined));
    const known = newest.filter((value) => value !== undefined);
    const main = this.#options.figure === 'highest' && known.length > 0 ? Math.max(...known) : newest[0];
    setText(this.#value, main === undefined ? '–' : format(main));
    setText(this.#top, format(top));
    const legend = lines.length < 2 ? [] : lines.map(({ name }, i) => legendEntry(i, name, newest[i], format));
    this.#legend.replaceChildren(...legend);
    const told = lines.map(({ name }, i) => `${name} ${newest[i] === undefined ? 'unknown' : format(newest[i])}`);
    const most = all.length === 0 ? '' : `; highest of the last minutes ${format(Math.max(...all))}`;
    this.#plot.setAttribute('aria-label', `${title}, ${scope}: ${told.join(', ')}${most}`);
  }

  #drawLine({ values }: ChartLine, index: number, top: number, isFilled: boolean): SVGElement[] {
    const parts: SVGElement[] = [];
    for (const run of runs(values)) {
      const path = run.map(
        ([i, value], at) => `${at === 0 ? 'M' : 'L'}${this.#x(i, values.length)} ${yOf(value, top)}`,
      );
      // A lone point is a line to itself, which round ends make visible.
      const line = path.length === 1 ? `${path[0]}h0` : path.join('');
      const [first, last] = [run[0], run.at(-1)];
      if (isFilled && first !== undefined && last !== undefined) {
        const d = `${line}L${this.#x(last[0], values.length)} ${height}L${this.#x(first[0], values.length)} ${height}Z`;
        parts.push(svg('path', { d, class: 'chart-area', fill: `url(#${this.#gradient})` }));
      }
      parts.push(svg('path', { d: line, class: `chart-line line-${index}`, 'vector-effect': 'non-scaling-stroke' }));
    }
    return parts;
  }

  /** The newest point is at the right edge, wherever the oldest one is. */
  #x(index: number, length: number): string {
    const { pointsMax } = this.#options;
    return (width - ((length - 1 - index) * width) / (pointsMax - 1)).toFixed(1);
  }

  #point(event: PointerEvent): void {
    const box = this.#plot.getBoundingClientRect();
    const share = (event.clientX - box.left) / box.width;
    const length = this.#lines[0]?.values.length ?? 0;
    const back = Math.round((1 - share) * (this.#options.pointsMax - 1));
    const index = length - 1 - back;
    if (index < 0) {
      this.#tip.hidden = true;
      return;
    }
    const told = this.#lines.map(({ name, values }) => {
      const value = values[index];
      return `${name} ${value === undefined ? '–' : this.#options.format(value)}`;
    });
    const ago = Math.round(back * this.#options.intervalSeconds);
    setText(this.#tip, `${told.join(' · ')} · ${ago === 0 ? 'now' : `${ago} s ago`}`);
    this.#tip.style.left = `${Math.min(Math.max(share * 100, 20), 80)}%`;
    this.#tip.hidden = false;
  }

  #defs(): SVGElement {
    return svg(
      'defs',
      {},
      svg(
        'linearGradient',
        { id: this.#gradient, x1: 0, y1: 0, x2: 0, y2: 1 },
        svg('stop', { offset: '0%', class: 'chart-fill-top' }),
        svg('stop', { offset: '100%', class: 'chart-fill-bottom' }),
      ),
    );
  }
}

function legendEntry(
  index: number,
  name: string,
  value: number | undefined,
  format: (value: number) => string,
): HTMLElement {
  return el('span', { class: `line-${index}` }, value === undefined ? name : `${name} ${format(value)}`);
}

function gridLine(share: number): SVGElement {
  const y = yOf(share, 1);
  return svg('line', { class: 'chart-grid', x1: 0, x2: width, y1: y, y2: y, 'vector-effect': 'non-scaling-stroke' });
}

function yOf(value: number, top: number): string {
  return (height - 2 - (value / top) * (height - 8)).toFixed(1);
}

/** 1, 2 or 5 times a power of ten: a scale that does not tremble with each point. */
function niceTop(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 5, 10].find((step) => value <= step * power) ?? 10;
  return step * power;
}

/** Stretches of known values, as pairs of index and value. */
function runs(values: readonly (number | undefined)[]): (readonly [number, number])[][] {
  const found: (readonly [number, number])[][] = [];
  for (const [i, value] of values.entries()) {
    if (value === undefined) continue;
    if (i === 0 || values[i - 1] === undefined || found.length === 0) found.push([]);
    found.at(-1)?.push([i, value]);
  }
  return found;
}
