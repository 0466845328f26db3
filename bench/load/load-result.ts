import type { LatencyHistogram } from './latency.ts';

/** What a load generator saw. */
export interface LoadResult {
  /** Requests answered with success. */
  readonly succeeded: number;
  /** Answers with an error, broken connections and timeouts. */
  readonly failed: number;
  readonly seconds: number;
  readonly latency: LatencyHistogram;
  /** Of an answer, headers included, on average. Says whether gets really returned values. */
  readonly bytesPerAnswer: number;
}
