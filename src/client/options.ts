import type { KeyValue, RangeSort, Revision, RevisionBounds } from '../contract/kv.ts';
import type { LeaseId } from '../contract/lease.ts';
import type { Key } from './key-path.ts';

export interface RequestOptions {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** What a read promises; a number of milliseconds is how old it may provably be. */
export type ReadConsistency = 'linearizable' | 'stale' | { readonly maxStalenessMs: number };

export interface ReadOptions extends RequestOptions {
  /** Default `linearizable`: nothing older than any write acknowledged before. */
  readonly consistency?: ReadConsistency;
  /** The past to read; without one, the present. `compacted` or `future_revision` if that is not kept. */
  readonly revision?: Revision;
}

export interface IdempotentOptions extends RequestOptions {
  /**
   * Names the write: 1 to 256 visible ASCII characters, such as a UUID, never used for another write. With it the client
   * sends the write again when its outcome is unknown, until the time is up: it is applied once.
   */
  readonly idempotencyKey?: string;
}

export interface WriteOptions extends IdempotentOptions {
  /** The key must have exactly this mod revision, or exist (`'*'`); otherwise `precondition_failed`. */
  readonly ifMatch?: Revision | '*';
  /** The key must not exist; otherwise `precondition_failed`. */
  readonly ifAbsent?: boolean;
  /** Answer with what was replaced or deleted. */
  readonly previous?: boolean;
}

export interface PutOptions extends WriteOptions {
  /** The key is deleted when this lease ends. Without one the key is bound to none, whatever it was bound to before. */
  readonly lease?: LeaseId;
}

export interface PutResult {
  /** The mod revision, to be given as `ifMatch` of the next write. */
  readonly revision: Revision;
  readonly createRevision: Revision;
  readonly version: number;
  readonly created: boolean;
  readonly previous: KeyValue | undefined;
}

export interface DeleteResult {
  readonly deleted: number;
  readonly revision: Revision;
  readonly previous: KeyValue | undefined;
}

/** A prefix, or all keys from `start` up to, not including, `end`; without any of them, all keys. */
export interface KeyBounds {
  readonly prefix?: Key;
  readonly start?: Key;
  readonly end?: Key;
}

export interface RangeOptions extends ReadOptions, KeyBounds {}

export interface ListOptions extends RangeOptions, RevisionBounds {
  /** Ends after so many keys. */
  readonly limit?: number;
  /** Values are empty. */
  readonly keysOnly?: boolean;
  readonly sort?: RangeSort;
  readonly order?: 'asc' | 'desc';
  /** Keys fetched at a time. */
  readonly pageSize?: number;
}
