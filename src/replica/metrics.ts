/** What the replica tells about its work; `server/` turns it into Prometheus metrics. */
export interface ReplicaMetrics {
  /** A write ended. `refused`: certainly not executed. */
  writeEnded(outcome: 'done' | 'refused' | 'unknown', durationMs: number): void;
  /** One batch of the log became durable. */
  persisted(entries: number, durationMs: number): void;
  /** One batch of the store became durable. */
  flushed(durationMs: number): void;
  /** Committed entries were applied in one go. */
  applied(entries: number, durationMs: number): void;
  /** A round of linearizable reads was confirmed; `reads` waited for it. */
  readRoundConfirmed(reads: number, durationMs: number): void;
  leaderChanged(): void;
}

export const noMetrics: ReplicaMetrics = {
  writeEnded: () => undefined,
  persisted: () => undefined,
  flushed: () => undefined,
  applied: () => undefined,
  readRoundConfirmed: () => undefined,
  leaderChanged: () => undefined,
};
