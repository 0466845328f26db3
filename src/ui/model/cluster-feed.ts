import type { Cluster, ClusterMember, MemberStatus } from './answers.ts';
import { errorText, getJson, getText } from './api.ts';
import { parseMetrics, quantileBetween, type Samples } from './metrics-text.ts';

/** What the cluster looked like when it was last asked. */
export interface Snapshot {
  /** Milliseconds of `performance.now`. */
  readonly at: number;
  readonly cluster: Cluster;
  readonly status: MemberStatus;
}

/** One point in time of every chart; undefined where nothing can be said. */
export interface Point {
  readonly at: number;
  readonly writes: number | undefined;
  readonly reads: number | undefined;
  readonly writeP50: number | undefined;
  readonly writeP99: number | undefined;
  readonly syncP99: number | undefined;
  readonly dbSizeBytes: number;
  /** Entries that each follower lacks, by member id. */
  readonly lag: ReadonlyMap<string, number>;
}

export interface Feed {
  /** The newest; undefined before the first answer. */
  readonly snapshot: Snapshot | undefined;
  readonly points: readonly Point[];
  /** Why the last question had no answer; undefined if it had one. */
  readonly failure: string | undefined;
}

export const pointsMax = 90;
const intervalMs = 2000;
const readsName = 'balsa_linearizable_reads_total';
const drawn = new Set(['balsa_write_duration_seconds_bucket', 'balsa_log_fsync_duration_seconds_bucket', readsName]);

/** Asks this member for the state of the cluster as long as somebody looks at the page, and remembers some minutes. */
export class ClusterFeed implements Feed {
  snapshot: Snapshot | undefined;
  points: readonly Point[] = [];
  failure: string | undefined;
  readonly #listeners = new Set<() => void>();
  #samples: { readonly at: number; readonly metrics: Samples } | undefined;
  #wake: () => void = () => undefined;

  start(): void {
    document.addEventListener('visibilitychange', () => this.refresh());
    void this.#run();
  }

  /** Calls at once, and with everything new until `signal` is aborted. */
  subscribe(listener: () => void, signal: AbortSignal): void {
    this.#listeners.add(listener);
    signal.addEventListener('abort', () => this.#listeners.delete(listener));
    listener();
  }

  /** Asks now, and not at its time. */
  refresh(): void {
    this.#wake();
  }

  async #run(): Promise<void> {
    for (;;) {
      if (!document.hidden) await this.#ask();
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, intervalMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  async #ask(): Promise<void> {
    try {
      const [told, status, text] = await Promise.all([
        getJson<Cluster>('/v1/cluster'),
        getJson<MemberStatus>('/v1/status'),
        getText('/metrics'),
      ]);
      const members = told.members.toSorted((one, other) => (nameOf(one) < nameOf(other) ? -1 : 1));
      const cluster = { ...told, members };
      const at = performance.now();
      const metrics = parseMetrics(text, (name, labels) => drawn.has(name) && !/outcome="(?!done)/.test(labels));
      const point = this.#point(at, cluster, status, metrics);
      if (point !== undefined) this.points = [...this.points.slice(1 - pointsMax), point];
      this.#samples = { at, metrics };
      this.snapshot = { at, cluster, status };
      this.failure = undefined;
    } catch (reason) {
      this.failure = errorText(reason);
      this.#samples = undefined;
    }
    for (const listener of this.#listeners) listener();
  }

  #point(at: number, cluster: Cluster, status: MemberStatus, metrics: Samples): Point | undefined {
    const [before, last] = [this.#samples, this.snapshot];
    if (before === undefined || last === undefined) return undefined;
    const seconds = (at - before.at) / 1000;
    const quantile = (name: string, at: number): number | undefined =>
      quantileBetween(before.metrics, metrics, `${name}_bucket`, at);
    const readsNow = metrics.sums.get(readsName) ?? 0;
    const readsBefore = before.metrics.sums.get(readsName) ?? 0;
    return {
      at,
      writes: Math.max(0, cluster.revision - last.cluster.revision) / seconds,
      reads: Math.max(0, readsNow - readsBefore) / seconds,
      writeP50: quantile('balsa_write_duration_seconds', 0.5),
      writeP99: quantile('balsa_write_duration_seconds', 0.99),
      syncP99: quantile('balsa_log_fsync_duration_seconds', 0.99),
      dbSizeBytes: status.dbSizeBytes,
      lag: new Map(
        cluster.members.flatMap(({ id, state, lagEntries }) =>
          lagEntries === null || state === 'leader' ? [] : [[id, lagEntries] as const],
        ),
      ),
    };
  }
}

/** The order in which people look for members; those that never started come last, by their ids. */
function nameOf({ name, id }: ClusterMember): string {
  return name === '' ? `\uffff${id}` : name;
}
