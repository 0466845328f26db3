import type { BalsaError } from '../contract/errors.ts';
import type {
  AnswerHeader,
  Consistency,
  DeleteAnswer,
  DeleteRangeRequest,
  DeleteRequest,
  GetAnswer,
  KeyRange,
  KeyValue,
  PutAnswer,
  PutRequest,
  RangeAnswer,
  RangeRequest,
  Revision,
} from '../contract/kv.ts';
import type {
  LeaseGrantAnswer,
  LeaseGrantRequest,
  LeaseId,
  LeaseKeepAliveAnswer,
  LeaseListAnswer,
  LeaseRevokeAnswer,
  LeaseTimeAnswer,
} from '../contract/lease.ts';
import type { MemberAddRequest, MembershipAnswer, MoveLeaderAnswer } from '../contract/members.ts';
import type { TxnAnswer, TxnRequest } from '../contract/txn.ts';
import type { WatchBatch, WatchRequest } from '../contract/watch.ts';

/** What every request carries. */
export interface RequestOptions {
  /** Milliseconds from now; after that the request ends with `timeout`, `no_leader` or `outcome_unknown`. */
  readonly timeoutMs: number;
  /** The client went away: waiting for a read ends. A write that is in the log goes on. */
  readonly signal?: AbortSignal;
}

export interface ReadOptions extends RequestOptions {
  readonly consistency: Consistency;
}

export interface WriteOptions extends RequestOptions {
  /**
   * Names the write: sent again with the same token it is not applied again, and gets the answer of the first time.
   * Rejects with `bad_request` if the token was used for another write. 1 to 256 bytes of UTF-8.
   */
  readonly idempotencyKey?: string | undefined;
}

/** What one page may hold. */
export interface RangeLimits {
  /** Of keys and values, if it is to be another bound than that of a page. */
  readonly bytesMax?: number;
  /** A page that these bytes cut is of no use to the caller: its `count` is 0, because counting reads the whole range. */
  readonly wholeOnly?: boolean;
}

/** A page is continued where and as it was begun: at the same revision. */
export interface RangePage extends RangeAnswer {
  /** What the list shows; the header's is the present one. */
  readonly readRevision: Revision;
  /** Opaque; to be given back as `after`, to any member. Undefined on the last page, and for lists in another order. */
  readonly next: string | undefined;
}

/**
 * Who is told of events. A sink that says `false` has taken what it was given and is given no more until
 * `Watch.resume`; meanwhile only its place in the history is kept, and it is caught up from there. One that says `later`
 * has not taken it, and is given it again after that.
 */
export interface WatchSink {
  onBatch(batch: WatchBatch): boolean | 'later';
  /** Everything up to this revision has been told. Called now and then while nothing happens. */
  onProgress(revision: Revision): boolean;
  /**
   * The watch is over, and not by `close`: `compacted` (extras `compactRevision`), or `no_leader`, `unavailable`, after
   * which it can be begun again from the next revision.
   */
  onEnd(error: BalsaError): void;
}

export interface Watch {
  /** The present revision when it began: the events of a watch without `revision` are those after it. */
  readonly header: AnswerHeader;
  /** Everything that happened up to this revision has been given to the sink. */
  toldTo(): Revision;
  resume(): void;
  /** Idempotent; nothing is called afterwards. */
  close(): void;
}

/**
 * What both skins (REST and etcd's API) call: one Raft group as seen from one member. Every method takes effect for
 * the whole cluster, wherever it is called. Methods reject with a `BalsaError` and nothing else; keys and values are
 * checked against the limits here, so that no skin can forget it.
 */
export interface KvService {
  /** For the headers of answers that come without one of their own, such as errors. */
  header(): AnswerHeader;

  put(request: PutRequest, options: WriteOptions): Promise<PutAnswer>;
  /** Rejects with `precondition_failed`, extras `{modRevision: number | null}`, if the condition does not hold. */
  delete(request: DeleteRequest, options: WriteOptions): Promise<DeleteAnswer>;
  deleteRange(request: DeleteRangeRequest, options: WriteOptions): Promise<DeleteAnswer>;
  /** Rejects with `bad_request` for what breaks a rule of transactions (see `txnLimits`), with `too_large` if too much is read. */
  txn(request: TxnRequest, options: WriteOptions): Promise<TxnAnswer>;
  /** Forgets what was before `revision`, on all members. Rejects with `compacted` or `future_revision`. */
  compact(revision: Revision, options: WriteOptions): Promise<{ readonly header: AnswerHeader }>;

  /** `revision`: the past. Rejects with `compacted` (extras `compactRevision`) or `future_revision`. */
  get(key: Uint8Array, options: ReadOptions & { readonly revision?: Revision | undefined }): Promise<GetAnswer>;
  range(request: RangeRequest, options: ReadOptions & RangeLimits): Promise<RangePage>;
  /** `after` is `next` of the page before. Rejects with `compacted` if that page's revision is no longer kept. */
  nextPage(after: string, options: RequestOptions & { readonly limit: number }): Promise<RangePage>;
  /** The whole range at one revision, a page of key-values at a time, at flat memory. */
  stream(
    range: KeyRange,
    options: ReadOptions & { readonly keysOnly: boolean; readonly revision?: Revision | undefined },
  ): Promise<{ readonly header: AnswerHeader; readonly pages: AsyncIterable<readonly KeyValue[]> }>;
}

/** Ordered, complete, without duplicates; all events of a revision together. See `KvService` for what holds for all. */
export interface WatchService {
  /**
   * Waits until this member knows the present revision (linearizable, within `timeoutMs`). Rejects as a read does; a
   * revision that is compacted is told by `onEnd`.
   */
  watch(request: WatchRequest, sink: WatchSink, options: RequestOptions): Promise<Watch>;
  /** Watches that are open on this member. */
  readonly watches: number;
}

/** Leases are kept by the leader; every member passes requests on to it. */
export interface LeaseService {
  /** Rejects with `lease_exists`, or `bad_request` for a TTL that nobody can keep. */
  grant(request: LeaseGrantRequest, options: WriteOptions): Promise<LeaseGrantAnswer>;
  /** Rejects with `lease_not_found`, as the next two. */
  keepAlive(id: LeaseId, options: RequestOptions): Promise<LeaseKeepAliveAnswer>;
  timeToLive(id: LeaseId, options: RequestOptions & { readonly keys: boolean }): Promise<LeaseTimeAnswer>;
  /** Deletes the lease and all its keys in one revision. */
  revoke(id: LeaseId, options: WriteOptions): Promise<LeaseRevokeAnswer>;
  list(options: ReadOptions): Promise<LeaseListAnswer>;
}

/**
 * Who the members are. Each change is one step of the log, and the next one waits for it; wherever it is asked for, the
 * leader decides. A change whose members could not decide alone rejects with `quorum_at_risk` and changes nothing.
 */
export interface MembershipService {
  /** Adds a learner under a new id. Rejects with `member_exists` if another member has one of the URLs. */
  add(request: MemberAddRequest, options: RequestOptions): Promise<MembershipAnswer>;
  /** A learner that has caught up votes from here on. Rejects with `learner_behind`, `not_a_learner`, `member_not_found`. */
  promote(id: string, options: RequestOptions): Promise<MembershipAnswer>;
  /** The member takes part no more, and its id is never used again; a leader hands over first. */
  remove(id: string, options: RequestOptions): Promise<MembershipAnswer>;
  /** Where the others reach it from now on. */
  update(id: string, peerUrls: readonly string[], options: RequestOptions): Promise<MembershipAnswer>;
  /** `linearizable`: as of now; else as this member knows them. */
  list(options: ReadOptions): Promise<MembershipAnswer>;
  /**
   * Hands leadership to that member, by id or name, or to the most advanced voter; resolves when it leads. Rejects with
   * `bad_transferee`, or `timeout` if it did not take over.
   */
  moveLeader(to: string | undefined, options: RequestOptions): Promise<MoveLeaderAnswer>;
}

/**
 * Backups: the whole store at one moment, verified chunk by chunk, as `storage/` describes the file. The stream holds
 * up no writes; it has to be read to its end or returned.
 */
export interface BackupService {
  backup(options: RequestOptions): Promise<{
    readonly header: AnswerHeader;
    /** Of the store that is streamed. */
    readonly revision: Revision;
    readonly chunks: AsyncIterable<Uint8Array>;
  }>;
}

/** Why the whole cluster, or one member of it, does not do all that it should. */
export type Alarm =
  /** Writes that need space are refused until there is some again. */
  | { readonly kind: 'no_space'; readonly memberId: undefined }
  /** That member's state differs from the others'; it serves nobody until it has been given a new state. */
  | { readonly kind: 'corrupt'; readonly memberId: string };

export type MemberState = 'leader' | 'follower' | 'candidate' | 'learner';

/** This member, as `/v1/status` shows it. */
export interface MemberStatus {
  readonly memberId: string;
  readonly clusterId: string;
  readonly name: string;
  readonly version: string;
  readonly state: MemberState;
  readonly leader: string | undefined;
  readonly raftTerm: number;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  readonly lastIndex: number;
  readonly revision: number;
  readonly keyCount: number;
  /** The oldest revision that can be read; 0 as long as nothing is compacted. */
  readonly compactRevision: number;
  /** Log and store on disk. */
  readonly dbSizeBytes: number;
  /** Keys and values, past ones too until they are compacted: what counts against the quota. */
  readonly usedBytes: number;
  /** 0: no limit. */
  readonly quotaBytes: number;
  readonly uptimeSeconds: number;
  readonly peers: readonly PeerStatus[];
  /** What is wrong right now, in words. */
  readonly errors: readonly string[];
}

export interface PeerStatus {
  readonly id: string;
  readonly name: string;
  readonly address: string;
  readonly state: 'connecting' | 'connected' | 'refused';
  readonly reason: string | undefined;
  readonly lastContactMs: number;
  readonly roundTripMs: number | undefined;
}

export interface ClusterMember {
  readonly id: string;
  readonly name: string;
  readonly role: 'voter' | 'learner';
  readonly state: 'leader' | 'follower' | 'unreachable';
  readonly peerUrls: readonly string[];
  readonly clientUrls: readonly string[];
  readonly version: string;
  /** What only the leader knows; undefined while there is none. */
  readonly matchIndex: number | undefined;
  readonly lagEntries: number | undefined;
  readonly lastContactMs: number | undefined;
}

export interface ClusterView {
  readonly clusterId: string;
  readonly leader: string | undefined;
  readonly raftTerm: number;
  readonly revision: number;
  readonly members: readonly ClusterMember[];
}

/** What software the members run, as they have told the cluster. */
export interface VersionView {
  /** Of this member. */
  readonly version: string;
  /** What all members agreed to understand. */
  readonly clusterVersion: string;
  /** Of the protocol between members that this one speaks. */
  readonly protocol: { readonly min: number; readonly max: number };
  readonly members: readonly { readonly id: string; readonly name: string; readonly version: string }[];
}

export interface ClusterService {
  status(): MemberStatus;
  versions(): VersionView;
  /** As this member knows them. */
  alarms(): readonly Alarm[];
  /** Asks the leader for what only it knows; without one, tells what this member knows. */
  cluster(options: RequestOptions): Promise<ClusterView>;
  /** Resolves with the failed checks by name; empty when this member can serve linearizable requests. */
  readiness(): Promise<readonly HealthCheck[]>;
  /** Whether the process does its work at all: its event loop turns and its disk answers. */
  liveness(): readonly HealthCheck[];
}

export interface HealthCheck {
  readonly name: string;
  readonly ok: boolean;
  /** Why not. */
  readonly reason: string | undefined;
}
