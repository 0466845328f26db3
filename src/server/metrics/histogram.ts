import type { Metric, Registry } from 'prom-client';

export type Labels = Readonly<Record<string, string>>;

/** Seconds; from a fast disk's sync to a request that waits for an election. */
export const latencyBuckets: readonly number[] = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5,
];

export interface HistogramName {
  readonly name: string;
  readonly help: string;
}

/**
 * Observations of one kind, shown under one or several names. The client library's histogram takes 300 ns for each: too
 * much for what is observed with every request, and twice that where etcd's dashboards want the same under their name.
 */
export class HistogramFamily {
  readonly #buckets: readonly number[];
  readonly #children: { readonly labels: Labels; readonly histogram: Histogram }[] = [];

  constructor(registry: Registry, names: readonly HistogramName[], buckets: readonly number[] = latencyBuckets) {
    this.#buckets = buckets;
    for (const { name, help } of names) {
      const get = async () => ({ name, help, type: 'histogram', aggregator: 'sum', values: this.#samples(name) });
      // What a registry asks of a metric.
      registry.registerMetric({ name, help, get } as unknown as Metric);
    }
  }

  /** Made once for each set of labels, and kept by who observes. */
  child(labels: Labels = {}): Histogram {
    const histogram = new Histogram(this.#buckets);
    this.#children.push({ labels, histogram });
    return histogram;
  }

  #samples(name: string): object[] {
    return this.#children.flatMap(({ labels, histogram }) => {
      const counts = histogram.cumulative();
      const count = counts.at(-1) ?? 0;
      return [
        ...[...this.#buckets, '+Inf'].map((le, i) => ({
          metricName: `${name}_bucket`,
          labels: { le, ...labels },
          value: counts[i],
        })),
        { metricName: `${name}_sum`, labels, value: histogram.sum },
        { metricName: `${name}_count`, labels, value: count },
      ];
    });
  }
}

export class Histogram {
  readonly #buckets: readonly number[];
  readonly #counts: number[];
  sum = 0;

  constructor(buckets: readonly number[]) {
    this.#buckets = buckets;
    this.#counts = new Array<number>(buckets.length + 1).fill(0);
  }

  observe(value: number): void {
    let bucket = 0;
    while (bucket < this.#buckets.length && value > (this.#buckets[bucket] as number)) bucket++;
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1;
    this.sum += value;
  }

  /** How many were not above each bound; the last: all. */
  cumulative(): number[] {
    let total = 0;
    return this.#counts.map((count) => {
      total += count;
      return total;
    });
  }
}
