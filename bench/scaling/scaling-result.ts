import type { Measurement } from '../measure.ts';
import type { Curve } from './curve.ts';

/** What `--scenario scaling` has measured. */
export interface Scaling {
  readonly curves: readonly Curve[];
  /** What lies behind the points, those that were left out included. */
  readonly measurements: readonly Measurement[];
}
