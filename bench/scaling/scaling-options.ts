import type { CurveName } from './curve.ts';

/** What the command line says about `scaling`. */
export interface ScalingOptions {
  readonly curves: readonly CurveName[];
  /** Length of one measured run. */
  readonly seconds: number;
  /** The point of `keys` with the most. */
  readonly keysMax: number;
  /** The points of `connections`. */
  readonly connections: readonly number[];
  /** The point of `watchers` with the most. */
  readonly watchersMax: number;
}

/** Bytes. */
export const valueSizes: readonly number[] = [16, 256, 4096, 65_536, 1_048_576];
export const connectionCounts: readonly number[] = [1, 4, 16, 64, 256, 1024, 4096];
export const clusterSizes: readonly number[] = [1, 3, 5, 7];

/** `first`, ten times as many, and so on, up to `max`. */
export function decades(first: number, max: number): readonly number[] {
  const counts: number[] = [];
  for (let count = first; count <= max; count *= 10) counts.push(count);
  return counts;
}
