import type {
  DeleteAnswer,
  DeleteRangeRequest,
  DeleteRequest,
  GetAnswer,
  PutAnswer,
  PutRequest,
  RangeAnswer,
  Revision,
} from '../../src/contract/kv.ts';
import type { LeaseId } from '../../src/contract/lease.ts';
import type { TxnAnswer, TxnRequest } from '../../src/contract/txn.ts';
import type { WatchEvent } from '../../src/contract/watch.ts';

/** Whatever can change the store. */
export type Write =
  | ({ readonly kind: 'put' } & PutRequest)
  | ({ readonly kind: 'delete' } & DeleteRequest)
  | ({ readonly kind: 'deleteRange' } & DeleteRangeRequest)
  | { readonly kind: 'txn'; readonly txn: TxnRequest }
  /** `ttl` in seconds, as granted: what is too short was raised before. */
  | { readonly kind: 'leaseGrant'; readonly id: LeaseId; readonly ttl: number }
  | { readonly kind: 'leaseRevoke'; readonly id: LeaseId }
  /** `remaining` in seconds; undefined: all of them again. */
  | { readonly kind: 'leaseCheckpoint'; readonly id: LeaseId; readonly remaining: number | undefined }
  | { readonly kind: 'compact'; readonly revision: Revision };

/** Why nothing was done. The kinds are codes of the error catalogue. */
export type Refusal =
  /** `modRevision` of the key as it is; undefined: there is none. */
  | { readonly kind: 'precondition_failed'; readonly modRevision: Revision | undefined }
  | { readonly kind: 'key_not_found' }
  | { readonly kind: 'lease_not_found' }
  | { readonly kind: 'lease_exists' }
  | { readonly kind: 'compacted'; readonly compactRevision: Revision }
  | { readonly kind: 'future_revision' }
  | { readonly kind: 'bad_request'; readonly reason: string };

/** An answer of the contract: its header is only the store's revision after it. */
type Done<Answer> = { readonly kind: 'done'; readonly revision: Revision } & Omit<Answer, 'header'>;

export type Outcome<Answer = unknown> = Done<Answer> | Refusal;

export type PutOutcome = Outcome<PutAnswer>;
export type DeleteOutcome = Outcome<DeleteAnswer>;
export type TxnOutcome = Outcome<TxnAnswer>;
export type LeaseRevokeOutcome = Outcome<{ readonly deleted: number }>;
export type GetOutcome = Outcome<GetAnswer>;
export type RangeOutcome = Outcome<RangeAnswer>;
export type EventsOutcome = Outcome<{ readonly batches: readonly RevisionEvents[] }>;
export type WriteOutcome = PutOutcome | DeleteOutcome | TxnOutcome | LeaseRevokeOutcome | Outcome;

/** What one revision did, in the order in which it did it. */
export interface RevisionEvents {
  readonly revision: Revision;
  readonly events: readonly WatchEvent[];
}
