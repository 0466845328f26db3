import { Counter, Gauge, type Registry } from 'prom-client';
import type { Labels } from './histogram.ts';

/** A number with its labels, as it is when somebody asks for the metrics. */
export interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

/** Numbers that are looked up when somebody asks; nothing is shown while `read` says `undefined`. */
export class Gauges {
  readonly #registry: Registry;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  gauge(name: string, help: string, read: () => number | undefined): void {
    this.gauges(name, help, [], () => unlabelled(read()));
  }

  gauges(name: string, help: string, labelNames: readonly string[], read: () => readonly Sample[]): void {
    new Gauge({
      name,
      help,
      labelNames: [...labelNames],
      registers: [this.#registry],
      collect() {
        this.reset();
        if (labelNames.length === 0) this.remove();
        for (const { labels, value } of read()) this.set(labels, value);
      },
    });
  }

  counter(name: string, help: string, read: () => number | undefined): void {
    this.counters(name, help, [], () => unlabelled(read()));
  }

  /** `read` says how many there were since the process began. */
  counters(name: string, help: string, labelNames: readonly string[], read: () => readonly Sample[]): void {
    new Counter({
      name,
      help,
      labelNames: [...labelNames],
      registers: [this.#registry],
      collect() {
        this.reset();
        if (labelNames.length === 0) this.remove();
        for (const { labels, value } of read()) this.inc(labels, value);
      },
    });
  }
}

function unlabelled(value: number | undefined): readonly Sample[] {
  return value === undefined ? [] : [{ labels: {}, value }];
}
