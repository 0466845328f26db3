/** Sums of what a Prometheus page says, by name, for the few metrics that the page draws. */
export interface Samples {
  readonly sums: ReadonlyMap<string, number>;
  /** Of a histogram: how many observations were not above each bound, in order of the bounds. */
  readonly buckets: ReadonlyMap<string, readonly (readonly [bound: number, count: number])[]>;
}

/** Samples whose labels `pick` refuses are left out. */
export function parseMetrics(text: string, pick: (name: string, labels: string) => boolean): Samples {
  const sums = new Map<string, number>();
  const buckets = new Map<string, Map<number, number>>();
  for (const line of text.split('\n')) {
    const match = /^([a-z_:]+)(?:\{(.*)\})? ([0-9.eE+-]+|NaN|[+-]Inf)/i.exec(line);
    if (match === null) continue;
    const [, name = '', labels = '', text = ''] = match;
    if (!pick(name, labels)) continue;
    const bound = /(?:^|,)le="([^"]+)"/.exec(labels)?.[1];
    if (bound === undefined) {
      sums.set(name, (sums.get(name) ?? 0) + Number(text));
      continue;
    }
    const at = bound === '+Inf' ? Number.POSITIVE_INFINITY : Number(bound);
    const histogram = buckets.get(name) ?? new Map<number, number>();
    histogram.set(at, (histogram.get(at) ?? 0) + Number(text));
    buckets.set(name, histogram);
  }
  const sorted = [...buckets].map(([name, counts]) => [name, [...counts].sort(([a], [b]) => a - b)] as const);
  return { sums, buckets: new Map(sorted) };
}

/**
 * A quantile of what was observed between two samples of a histogram, as Prometheus' `histogram_quantile` reckons it;
 * undefined if nothing was.
 */
export function quantileBetween(before: Samples, after: Samples, name: string, quantile: number): number | undefined {
  const [old, now] = [before.buckets.get(name) ?? [], after.buckets.get(name) ?? []];
  const counts = now.map(([bound, count], i) => [bound, count - (old[i]?.[1] ?? 0)] as const);
  const total = counts.at(-1)?.[1] ?? 0;
  if (total <= 0) return undefined;
  const rank = quantile * total;
  const at = counts.findIndex(([, count]) => count >= rank);
  const [bound, count] = counts[at] ?? [0, 0];
  const [lower, below] = counts[at - 1] ?? [0, 0];
  if (!Number.isFinite(bound)) return lower;
  return lower + (bound - lower) * ((rank - below) / Math.max(1, count - below));
}
