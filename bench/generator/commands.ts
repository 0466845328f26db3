import type { ClusterName } from '../clusters/cluster.ts';

/** Where a generator sends its requests, and how. */
export interface Target {
  readonly cluster: ClusterName;
  readonly url: string;
}

/** Writes keys `<prefix><index>` in transactions; `share` of `shares` takes every `shares`th transaction. */
export interface LoadJob {
  readonly target: Target;
  readonly prefix: string;
  readonly keys: number;
  /** How often each key is written. */
  readonly rounds: number;
  readonly valueBytes: number;
  readonly share: number;
  readonly shares: number;
  /** Absent: 100, of which etcd takes 128 at most. Large values need fewer. */
  readonly putsPerTransaction?: number | undefined;
  readonly connections: number;
  /** Transactions that wait for an answer at the same time. */
  readonly outstanding: number;
}

export interface LoadReport {
  readonly transactions: number;
  /** Transactions sent again because the first attempt failed; their puts may have happened twice. */
  readonly retries: number;
  readonly lastFailure: string | undefined;
}

export interface VerifyJob {
  readonly target: Target;
  readonly prefix: string;
  readonly keys: number;
  readonly valueBytes: number;
  readonly samples: number;
}

export interface VerifyReport {
  readonly count: number;
  /** Sampled keys without a value of the right length. */
  readonly wrongSamples: number;
}

/** One client that waits for each answer before it asks again. */
export interface ReadJob {
  readonly target: Target;
  readonly prefix: string;
  readonly keys: number;
  readonly stale: boolean;
  /** Absent: one key at random in each request. */
  readonly pageKeys?: number;
  readonly seconds: number;
}

export interface ReadReport {
  readonly millis: Float64Array;
  /** Answers that did not hold what was asked for. */
  readonly wrong: number;
}

/** Puts at a fixed rate, whether or not the answers keep up. Write `n` goes to the key of index `n % keys`, scattered. */
export interface WriteJob {
  readonly target: Target;
  readonly prefix: string;
  readonly keys: number;
  readonly valueBytes: number;
  readonly writesPerSecond: number;
  readonly writes: number;
}

/** Microseconds of the machine's monotonic clock, which all processes share; by number of the write. */
export interface WriteReport {
  readonly sentMicros: Float64Array;
  /** NaN where the put failed. */
  readonly acknowledgedMicros: Float64Array;
  readonly lastFailure: string | undefined;
}

/** Small puts at short intervals to all targets in turn, each given up after `timeoutMs`. Attempt `n` has a key of its own. */
export interface AttemptJob {
  readonly targets: readonly Target[];
  readonly prefix: string;
  /** The number of the first one. */
  readonly first: number;
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

/** Writes `share`, `share + shares`, … of one key that all watches of this process are for, one at a time. */
export interface FanOutJob {
  readonly target: Target;
  readonly key: string;
  readonly valueBytes: number;
  readonly share: number;
  readonly shares: number;
  readonly seconds: number;
}

export interface WatchJob {
  readonly target: Target;
  readonly connections: number;
  readonly localAddress: string;
  readonly watches:
    | { readonly kind: 'keys' | 'prefix'; readonly prefix: string; readonly first: number; readonly count: number }
    /** All of one key; `first` is where this process's numbers of watchers begin. */
    | { readonly kind: 'key'; readonly key: string; readonly first: number; readonly count: number };
}

export interface WatchState {
  readonly events: number;
  /** Watches that the server ended, with the last reason. */
  readonly ended: number;
  readonly lastReason: string | undefined;
}

/** Parallel columns, in the order of arrival; of values that `WriteJob` wrote. */
export interface Deliveries {
  /** The key's index that the watch was for, not what the event says; of watches of one key, the watcher's number. */
  readonly watchedIndex: Float64Array;
  readonly write: Float64Array;
  readonly deliveredMicros: Float64Array;
}

/** Puts and gets of keys that are there, in turn, through all targets in turn. */
export interface MixedJob {
  readonly targets: readonly Target[];
  readonly prefix: string;
  readonly keys: number;
  readonly valueBytes: number;
}

export interface MixedReport {
  readonly sent: number;
  /** Not answered, or not with what was asked for. */
  readonly failed: number;
  readonly lastFailure: string | undefined;
  /** Of those that were answered. */
  readonly putMillis: Float64Array;
  readonly getMillis: Float64Array;
}

/** What a generator process does when asked. */
export interface Commands {
  load(job: LoadJob): Promise<LoadReport>;
  verify(job: VerifyJob): Promise<VerifyReport>;
  read(job: ReadJob): Promise<ReadReport>;
  write(job: WriteJob): Promise<WriteReport>;
  /** As `write`, but it goes on behind other commands; `writes` is the most that there may be. */
  beginWrites(job: WriteJob): Promise<void>;
  /** Sends no more, and waits for what is under way. */
  endWrites(): Promise<WriteReport>;
  /** Goes on behind other commands. */
  beginAttempts(job: AttemptJob): Promise<void>;
  /** When the first was acknowledged of the attempts that were sent after that time; rejects after a minute without. */
  firstAcknowledged(sentAfterMicros: number): Promise<number>;
  endAttempts(): Promise<WriteReport>;
  /** As fast as answers come, with so many requests waited for at the same time. */
  saturate(job: MixedJob & { readonly outstanding: number; readonly seconds: number }): Promise<MixedReport>;
  /** At a constant rate, behind other commands. */
  beginMixed(job: MixedJob & { readonly perSecond: number }): Promise<void>;
  /** What has become of requests since it was last asked. */
  takeMixed(): Promise<MixedReport>;
  /** The same, after the last of them. */
  endMixed(): Promise<MixedReport>;
  openWatches(job: WatchJob): Promise<void>;
  /**
   * The next write is sent when the last one was acknowledged and has come to all watches of this process. By place in its
   * share; ends early if a put fails.
   */
  fanOut(job: FanOutJob): Promise<WriteReport>;
  pauseWatches(): Promise<void>;
  /** Of the first `count` watches; the others stay paused. */
  resumeWatches(count: number): Promise<void>;
  watchState(): Promise<WatchState>;
  takeDeliveries(): Promise<Deliveries>;
}
