import type { Cluster } from '../clusters/cluster.ts';
import type { Prepare } from '../clusters/server-process.ts';

/** What the command line says about trials; each reads what concerns it. */
export interface TrialOptions {
  readonly keys: number;
  readonly valueBytes: number;
  /** How often `history` writes each of its keys. */
  readonly overwrites: number;
  readonly watchers: number;
  /** How long `watchers` writes. */
  readonly watchSeconds: number;
  /** Of the one key of `fan-out`. */
  readonly fanOutWatchers: number;
  /** How long `fan-out` is measured. */
  readonly fanOutSeconds: number;
  /** How often `failover` kills the leader. */
  readonly kills: number;
  /** Watchers that stop reading. */
  readonly stoppedReaders: number;
  /** What is written past the stopped readers. */
  readonly eventMegabytes: number;
  /** How long `soak` goes on. */
  readonly soakMinutes: number;
  /** Puts that go on while a member of `catch-up` is fed. */
  readonly writesPerSecond: number;
}

/** What a trial stands on: clusters of one make, one at a time. */
export interface Ground {
  readonly options: TrialOptions;
  /**
   * Three new nodes with empty directories that have agreed on a leader; those started before are removed.
   * `flags` come beside those that all nodes of this make get.
   */
  startCluster(flags?: readonly string[]): Promise<Cluster>;
  /** Three more nodes, beside those that run, on directories that `prepare` has made. */
  startAnother(prepare: Prepare): Promise<Cluster>;
  /** Progress. */
  say(line: string): void;
}

export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly value: number;
}

/** What one contender did in a trial. */
export interface Outcome {
  readonly figures: readonly Figure[];
  /** Why the figures cannot be trusted; empty if they can. */
  readonly problems: readonly string[];
  /** What lies behind the figures, for the file of results. */
  readonly details: Readonly<Record<string, unknown>>;
}

/** A bound on one of Balsa's figures, or on what comes of it divided by etcd's, if that was measured too. */
export type TrialGoal = { readonly title: string; readonly figure: string } & (
  | { readonly below: number }
  | { readonly ratioAtMost: number }
  | { readonly ratioAtLeast: number }
);

/**
 * What takes a cluster of its own and is measured once, unlike a kind of request that is repeated in rounds. The same
 * `run` measures every contender, so that its figures can be divided by each other.
 */
export interface Trial {
  readonly name: string;
  readonly title: string;
  /** What a reader of the figures has to know. */
  readonly notes: readonly string[];
  goals(options: TrialOptions): readonly TrialGoal[];
  /** False where a comparison takes too long to be made unasked. */
  isComparedByDefault(options: TrialOptions): boolean;
  run(ground: Ground): Promise<Outcome>;
}
