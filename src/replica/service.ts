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
} from '../contract/kv.ts';

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

/** A page is continued where and as it was begun: at the same revision. */
export interface RangePage extends RangeAnswer {
  /** Opaque; to be given back as `after` to the same member. Undefined on the last page. */
  readonly next: string | undefined;
}

/**
 * What both skins (REST and etcd's API) call: one Raft group as seen from one member. Every method takes effect for
 * the whole cluster, wherever it is called. Methods reject with a `BalsaError` and nothing else; keys and values are
 * checked against the limits here, so that no skin can forget it.
 */
export interface KvService {
  /** For the headers of answers that come without one of their own, such as errors. */
  header(): AnswerHeader;

  put(request: PutRequest, options: RequestOptions): Promise<PutAnswer>;
  /** Rejects with `precondition_failed`, extras `{modRevision: number | null}`, if the condition does not hold. */
  delete(request: DeleteRequest, options: RequestOptions): Promise<DeleteAnswer>;
  deleteRange(request: DeleteRangeRequest, options: RequestOptions): Promise<DeleteAnswer>;

  get(key: Uint8Array, options: ReadOptions): Promise<GetAnswer>;
  range(request: RangeRequest, options: ReadOptions): Promise<RangePage>;
  /** `after` is `next` of the page before. Rejects with `compacted` if that page's view is no longer kept. */
  nextPage(after: string, options: RequestOptions & { readonly limit: number }): Promise<RangePage>;
  /** The whole range at one revision, a page of key-values at a time, at flat memory. */
  stream(
    range: KeyRange,
    options: ReadOptions & { readonly keysOnly: boolean },
  ): Promise<{ readonly header: AnswerHeader; readonly pages: AsyncIterable<readonly KeyValue[]> }>;
}

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
  /** Log and store on disk. */
  readonly dbSizeBytes: number;
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

export interface ClusterService {
  status(): MemberStatus;
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
