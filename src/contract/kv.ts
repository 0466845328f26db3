import type { LeaseId } from './lease-id.ts';

/** The store-wide version: 1 when empty, plus one with every change (etcd's `revision`). */
export type Revision = number & { readonly flavor?: 'Revision' };

/** One key as it is now. */
export interface KeyValue {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  /** The revision that created it (again, if it was deleted before). */
  readonly createRevision: Revision;
  /** The revision of the last change. */
  readonly modRevision: Revision;
  /** 1 when created, plus one with every put. */
  readonly version: number;
  /** The key is deleted when this lease ends. */
  readonly lease?: LeaseId;
}

/** All keys from `start` up to, not including, `end`; without `end`, all from `start` on. */
export interface KeyRange {
  readonly start: Uint8Array;
  readonly end: Uint8Array | undefined;
}

/** Must hold for the present state of a key, decided in the log. */
export type Condition =
  | { readonly kind: 'exists' }
  | { readonly kind: 'absent' }
  | { readonly kind: 'modRevisionIn'; readonly revisions: readonly Revision[] };

export interface PutRequest {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly condition: Condition | undefined;
  readonly previous: boolean;
  /** Without one the key is bound to none, whatever it was bound to before. */
  readonly lease?: LeaseId;
  /** The key keeps the value that it has (etcd's `ignore_value`); `value` is empty then. */
  readonly keepsValue?: boolean;
  /** The key stays bound to the lease that it has (etcd's `ignore_lease`). */
  readonly keepsLease?: boolean;
}

export interface PutAnswer {
  readonly header: AnswerHeader;
  readonly created: boolean;
  readonly createRevision: Revision;
  readonly modRevision: Revision;
  readonly version: number;
  /** Present if it was asked for and there was one. */
  readonly previous: KeyValue | undefined;
}

export interface DeleteRequest {
  /** One key. */
  readonly key: Uint8Array;
  readonly condition: Condition | undefined;
  readonly previous: boolean;
}

export interface DeleteRangeRequest {
  readonly range: KeyRange;
}

export interface DeleteAnswer {
  readonly header: AnswerHeader;
  readonly deleted: number;
  /** Present for one key, if it was asked for and there was one. */
  readonly previous: KeyValue | undefined;
}

/** What a read promises. */
export type Consistency =
  /** Nothing older than any write acknowledged before the read began. */
  | { readonly level: 'linearizable' }
  /** This member's state, at once. */
  | { readonly level: 'stale' }
  /** This member's state if it is provably not older than that; otherwise as linearizable. */
  | { readonly level: 'bounded'; readonly maxStalenessMs: number };

export interface GetAnswer {
  readonly header: AnswerHeader;
  readonly kv: KeyValue | undefined;
}

export type RangeSort = 'key' | 'modRevision' | 'createRevision' | 'version' | 'value';

/** Bounds of what is listed, both ends included; `count` counts what is left out, too (as etcd). */
export interface RevisionBounds {
  readonly minModRevision?: Revision;
  readonly maxModRevision?: Revision;
  readonly minCreateRevision?: Revision;
  readonly maxCreateRevision?: Revision;
}

export interface RangeRequest {
  readonly range: KeyRange;
  /** The past to read; without one, the present. */
  readonly revision?: Revision;
  readonly bounds?: RevisionBounds;
  /** Keys in one answer; 0: no limit. */
  readonly limit: number;
  readonly keysOnly: boolean;
  readonly countOnly: boolean;
  readonly sort: RangeSort;
  readonly order: 'asc' | 'desc';
}

export interface RangeAnswer {
  readonly header: AnswerHeader;
  readonly kvs: readonly KeyValue[];
  /** Keys in the whole range, whatever the limit (as etcd's `count`). */
  readonly count: number;
  /** The limit, or the size of an answer, cut the list. */
  readonly more: boolean;
}

/** Where and when an answer was made. */
export interface AnswerHeader {
  /** A member id in hexadecimal. */
  readonly memberId: string;
  readonly revision: Revision;
  readonly raftTerm: number;
  /** Milliseconds; an upper bound of how old the state behind a stale read may be. Infinity: not known. */
  readonly stalenessMs?: number;
}

/** Limits that etcd shares where it has them. */
export const limits = {
  keyBytesMax: 8 * 1024,
  valueBytesMax: 1.5 * 1024 * 1024,
  rangeLimitDefault: 1000,
} as const;
