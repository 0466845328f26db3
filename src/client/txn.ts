import type { RangeSort, Revision, RevisionBounds } from '../contract/kv.ts';
import type { LeaseId } from '../contract/lease.ts';
import type { TxnResult } from '../contract/txn.ts';
import type { Key } from './key-path.ts';
import type { KeyBounds } from './options.ts';

/** One revision for everything it changes; all or nothing. */
export interface Txn {
  /** All must hold for `success` to be done; otherwise `failure` is. Without any they hold. */
  readonly compare?: readonly Comparison[];
  /** Each operation sees what those before it in the list have done. */
  readonly success?: readonly TxnOperation[];
  readonly failure?: readonly TxnOperation[];
}

/**
 * Of one key, or of all keys of a range. An absent key has version, revisions and lease 0 and no value: a comparison of
 * its value is false.
 */
export type Comparison = TxnKeys &
  (
    | { readonly exists: boolean }
    | { readonly value: Relation<Key> }
    | { readonly version: Relation<number> }
    | { readonly createRevision: Relation<Revision> }
    | { readonly modRevision: Relation<Revision> }
    | { readonly lease: Relation<LeaseId> }
  );

/** What stands to the right: `{ modRevision: { '>': 5 } }` holds for a key that was changed after revision 5. */
export type Relation<Operand> =
  | { readonly '=': Operand }
  | { readonly '!=': Operand }
  | { readonly '<': Operand }
  | { readonly '>': Operand };

export type TxnOperation =
  | { readonly put: TxnPut }
  | { readonly get: TxnGet }
  | { readonly delete: TxnDelete }
  | { readonly txn: Txn };

export type TxnPut = {
  readonly key: Key;
  readonly lease?: LeaseId;
  /** The key stays bound to the lease that it has. */
  readonly keepsLease?: boolean;
  /** Answer with what was replaced. */
  readonly previous?: boolean;
} & (
  | { readonly value: Key }
  /** The key has to exist, and keeps its value. */
  | { readonly keepsValue: true }
);

/** One key, or a range; a range without bounds is refused. */
export type TxnKeys = { readonly key: Key } | KeyBounds;

export type TxnGet = TxnKeys &
  RevisionBounds & {
    readonly limit?: number;
    readonly revision?: Revision;
    readonly sort?: RangeSort;
    readonly order?: 'asc' | 'desc';
    readonly keysOnly?: boolean;
    readonly countOnly?: boolean;
  };

export type TxnDelete = TxnKeys & {
  /** Answer with what was deleted. */
  readonly previous?: boolean;
};

export interface TxnOutcome {
  /** Whether the comparisons held. */
  readonly succeeded: boolean;
  readonly revision: Revision;
  /** One for each operation of the branch that was done. */
  readonly results: readonly TxnResult[];
}

/** Whether it changes nothing whichever branch is done, so that it may be repeated as any read. */
export function onlyReads(txn: Txn): boolean {
  const operations = [...(txn.success ?? []), ...(txn.failure ?? [])];
  return operations.every((operation) => 'get' in operation || ('txn' in operation && onlyReads(operation.txn)));
}
