export { BalsaError, type ErrorCode } from '../contract/errors.ts';
export type { KeyValue, RangeSort, Revision, RevisionBounds } from '../contract/kv.ts';
export { formatLeaseId, type LeaseId, parseLeaseId } from '../contract/lease.ts';
export { type Promotion, parseMemberId } from '../contract/members.ts';
export type { TxnResult } from '../contract/txn.ts';
export type { WatchEvent } from '../contract/watch.ts';
export type { ClusterMember, ClusterStatus, ClusterVersions, MemberStatus } from './answers.ts';
export { BalsaClient, type ClientOptions, connect } from './client.ts';
export type { Key } from './key-path.ts';
export type { LeaseKeeper } from './lease-keeper.ts';
export type { LeaseGrantOptions, LeaseKeepOptions, Leases, LeaseTime, LeaseTtl } from './leases.ts';
export type { ChangedMembership, Member, MemberAddOptions, Members, Membership } from './members.ts';
export type {
  DeleteResult,
  IdempotentOptions,
  KeyBounds,
  ListOptions,
  PutOptions,
  PutResult,
  RangeOptions,
  ReadConsistency,
  ReadOptions,
  RequestOptions,
  WriteOptions,
} from './options.ts';
export type { Snapshot, SnapshotOptions } from './snapshot.ts';
export type { Comparison, Relation, Txn, TxnDelete, TxnGet, TxnKeys, TxnOperation, TxnOutcome, TxnPut } from './txn.ts';
export type { Watch, WatchOptions } from './watch.ts';
export type { WatchBatch } from './watch-message.ts';
