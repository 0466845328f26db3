import type { Consistency } from '../../contract/kv.ts';
import { type Query, refused } from './query.ts';

/** How long requests may take, in milliseconds. */
export interface TimeoutBounds {
  readonly defaultTimeoutMs: number;
  readonly maxTimeoutMs: number;
}

export function timeoutOf(query: Query, bounds: TimeoutBounds): number {
  const timeoutMs = query.duration('timeout');
  if (timeoutMs === undefined) return bounds.defaultTimeoutMs;
  if (timeoutMs < 1) throw refused('timeout', 'must be at least 1ms');
  if (timeoutMs > bounds.maxTimeoutMs) throw refused('timeout', `must be at most ${bounds.maxTimeoutMs}ms`);
  return timeoutMs;
}

const linearizable: Consistency = { level: 'linearizable' };
const stale: Consistency = { level: 'stale' };

export function consistencyOf(query: Query): Consistency {
  const level = query.choice('consistency') ?? 'linearizable';
  const maxStalenessMs = query.duration('maxStaleness');
  if (level === 'bounded') {
    if (maxStalenessMs !== undefined) return { level, maxStalenessMs };
    throw refused('maxStaleness', 'is missing; consistency=bounded needs it, as in maxStaleness=500ms');
  }
  if (maxStalenessMs !== undefined) throw refused('maxStaleness', 'means something only with consistency=bounded');
  return level === 'stale' ? stale : linearizable;
}
