import type { AnswerHeader } from './kv.ts';
import type { LeaseId } from './lease-id.ts';

export { formatLeaseId, type LeaseId, leaseIdMax, parseLeaseId } from './lease-id.ts';

/** etcd's most; 285 years. */
export const leaseTtlMaxSeconds = 9_000_000_000;

export interface LeaseGrantRequest {
  /** Undefined: the server picks one. */
  readonly id: LeaseId | undefined;
  /** Seconds; short ones are raised to what the cluster can keep (as etcd: one and a half election timeouts). */
  readonly ttl: number;
}

export interface LeaseGrantAnswer {
  readonly header: AnswerHeader;
  readonly id: LeaseId;
  /** What was granted, in seconds. */
  readonly ttl: number;
}

export interface LeaseKeepAliveAnswer {
  readonly header: AnswerHeader;
  readonly id: LeaseId;
  /** Seconds from now. */
  readonly ttl: number;
}

export interface LeaseTimeAnswer {
  readonly header: AnswerHeader;
  readonly id: LeaseId;
  /** Whole seconds left, rounded up. */
  readonly ttl: number;
  readonly grantedTtl: number;
  /** In byte order; empty unless they were asked for. */
  readonly keys: readonly Uint8Array[];
}

export interface LeaseRevokeAnswer {
  readonly header: AnswerHeader;
  /** Keys that went with it. */
  readonly deleted: number;
}

export interface LeaseListAnswer {
  readonly header: AnswerHeader;
  /** In order of their ids. */
  readonly ids: readonly LeaseId[];
}

/** A lease as the state machine keeps it. */
export interface LeaseRecord {
  readonly id: LeaseId;
  /** Seconds, as granted. */
  readonly ttl: number;
  /** Seconds that were left at the last checkpoint; undefined: all of them. */
  readonly remaining: number | undefined;
}
