import type { KeyRange, KeyValue, Revision } from './kv.ts';

export interface WatchRequest {
  readonly range: KeyRange;
  /** The first revision that is wanted; undefined: those after now. May lie in the future. */
  readonly revision: Revision | undefined;
  /** Events carry the key-value from before. */
  readonly previous: boolean;
  /** Left out. */
  readonly filter: 'put' | 'delete' | undefined;
}

export interface WatchEvent {
  readonly type: 'put' | 'delete';
  /** Of a deletion: key and `modRevision`, the revision that deleted it; the rest is empty or 0. */
  readonly kv: KeyValue;
  /** If it was asked for, there was one, and it is not compacted. */
  readonly previous: KeyValue | undefined;
}

/** What one revision did to the keys that are watched. Shared by all watchers of the same keys; never altered. */
export interface WatchBatch {
  readonly revision: Revision;
  /** At least one. */
  readonly events: readonly WatchEvent[];
  /** What `encode` makes of the batch, made once for all watchers that use the same function. */
  encoded(encode: (batch: WatchBatch) => Buffer): Buffer;
}
