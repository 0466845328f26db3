import type { AnswerHeader, KeyRange, KeyValue, RangeRequest, Revision } from './kv.ts';
import type { LeaseId } from './lease.ts';

/**
 * True for every key of the range (as etcd's `Compare` with `range_end`). A range without keys, such as that of an absent
 * key, compares as version, revisions and lease 0, and has no value: a comparison of its value is false. All comparisons,
 * also those of nested transactions, are of what was there before the transaction.
 */
export type Compare = {
  /** For one key: `keyRange(key)`. */
  readonly range: KeyRange;
  readonly is: '=' | '!=' | '<' | '>';
} & (
  | { readonly target: 'value'; readonly value: Uint8Array }
  | { readonly target: 'version' | 'createRevision' | 'modRevision'; readonly value: number }
  | { readonly target: 'lease'; readonly value: LeaseId | 0n }
);

export type TxnOperation =
  | {
      readonly kind: 'put';
      readonly key: Uint8Array;
      readonly value: Uint8Array;
      readonly lease?: LeaseId;
      readonly previous?: boolean;
      readonly keepsValue?: boolean;
      readonly keepsLease?: boolean;
    }
  | ({ readonly kind: 'range' } & RangeRequest)
  | { readonly kind: 'delete'; readonly range: KeyRange; readonly previous?: boolean }
  | { readonly kind: 'txn'; readonly txn: TxnRequest };

/** One revision for everything it changes; all or nothing. */
export interface TxnRequest {
  /** All must hold for `success` to be done; otherwise `failure` is. */
  readonly compare: readonly Compare[];
  /** Each sees what those before it in the list have done. */
  readonly success: readonly TxnOperation[];
  readonly failure: readonly TxnOperation[];
}

export type TxnResult =
  | {
      readonly kind: 'put';
      readonly created: boolean;
      readonly createRevision: Revision;
      readonly version: number;
      readonly previous: KeyValue | undefined;
    }
  | { readonly kind: 'range'; readonly kvs: readonly KeyValue[]; readonly count: number; readonly more: boolean }
  | { readonly kind: 'delete'; readonly deleted: number; readonly previous: readonly KeyValue[] }
  | { readonly kind: 'txn'; readonly succeeded: boolean; readonly results: readonly TxnResult[] };

export interface TxnAnswer {
  readonly header: AnswerHeader;
  readonly succeeded: boolean;
  /** One for each operation of the branch that was done. */
  readonly results: readonly TxnResult[];
}

export const txnLimits = {
  /** On each level: the longest of the three lists counts, and what is nested may only use what is left (as etcd). */
  operationsMax: 128,
  /** Transactions within transactions. */
  depthMax: 4,
  /** Bytes of keys and values that one transaction may read or return. */
  answerBytesMax: 16 * 1024 * 1024,
} as const;
