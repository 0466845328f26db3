/** The answers of the REST API that the page reads; `/openapi.json` describes them. */

export interface ClusterMember {
  readonly id: string;
  readonly name: string;
  readonly role: 'voter' | 'learner';
  readonly state: 'leader' | 'follower' | 'unreachable';
  readonly peerUrls: readonly string[];
  readonly clientUrls: readonly string[];
  readonly matchIndex: number | null;
  readonly lagEntries: number | null;
  readonly lastContactMs: number | null;
  readonly version: string;
}

export interface Cluster {
  readonly clusterId: string;
  readonly leader: string | null;
  readonly raftTerm: number;
  readonly revision: number;
  readonly members: readonly ClusterMember[];
}

export interface MemberStatus {
  readonly memberId: string;
  readonly name: string;
  readonly version: string;
  readonly state: 'leader' | 'follower' | 'candidate' | 'learner' | 'suspect';
  readonly leader: string | null;
  readonly raftTerm: number;
  readonly appliedIndex: number;
  readonly revision: number;
  readonly keyCount: number;
  readonly dbSizeBytes: number;
  readonly uptimeSeconds: number;
  readonly errors: readonly string[];
}

/** A key or value is text, or base64 where it is no UTF-8. */
export interface KeyValueJson {
  readonly key?: string;
  readonly keyBase64?: string;
  readonly value?: string;
  readonly valueBase64?: string;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  readonly lease?: string;
}

export interface RangeJson {
  readonly revision: number;
  readonly kvs: readonly KeyValueJson[];
  readonly count: number;
  readonly more: boolean;
  readonly next?: string;
}

export interface WatchEventJson {
  readonly type: 'put' | 'delete';
  readonly kv: Partial<KeyValueJson> & { readonly modRevision: number };
  readonly prevKv?: KeyValueJson;
}

/** A line of a watch as NDJSON. */
export type WatchLine =
  | { readonly type: 'change'; readonly revision: number; readonly events: readonly WatchEventJson[] }
  | { readonly type: 'progress'; readonly revision: number }
  | { readonly type: 'compacted'; readonly compactRevision: number; readonly problem: Problem }
  | { readonly type: 'error'; readonly problem: Problem };

export interface Problem {
  readonly code: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly compactRevision?: number;
  readonly modRevision?: number | null;
}

export interface LeaseTime {
  readonly id: string;
  /** Seconds left; -1 if the lease is not there any more. */
  readonly ttl: number;
  readonly grantedTtl: number;
  readonly keys?: readonly Pick<KeyValueJson, 'key' | 'keyBase64'>[];
}
