import { BalsaError } from '../contract/errors.ts';
import type { KeyValue } from '../contract/kv.ts';
import { type LeaseId, parseLeaseId } from '../contract/lease.ts';
import type { Reply } from './exchange.ts';
import { bytesOfMembers } from './json-bytes.ts';

/** One member, as `GET /v1/status` tells it. Ids are hexadecimal. */
export interface MemberStatus {
  readonly memberId: string;
  readonly name: string;
  readonly version: string;
  readonly state: string;
  readonly leader: string | null;
  readonly raftTerm: number;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  readonly revision: number;
  /** Log and store on disk. */
  readonly dbSizeBytes: number;
  readonly uptimeSeconds: number;
  /** What is wrong right now, in words. */
  readonly errors: readonly string[];
}

/** What software the members run, as `GET /v1/version` tells it. */
export interface ClusterVersions {
  /** Of the member that answered. */
  readonly version: string;
  /** What all members agreed to understand, as `0.2`. */
  readonly clusterVersion: string;
  readonly protocol: { readonly min: number; readonly max: number };
  readonly members: readonly { readonly id: string; readonly name: string; readonly version: string }[];
}

/** The cluster, as `GET /v1/cluster` tells it. What only the leader knows is null while there is none. */
export interface ClusterStatus {
  readonly clusterId: string;
  readonly leader: string | null;
  readonly raftTerm: number;
  readonly revision: number;
  readonly members: readonly ClusterMember[];
}

export interface ClusterMember {
  readonly id: string;
  readonly name: string;
  readonly role: string;
  readonly state: string;
  readonly peerUrls: readonly string[];
  readonly clientUrls: readonly string[];
  readonly matchIndex: number | null;
  readonly lagEntries: number | null;
  readonly lastContactMs: number | null;
  readonly version: string;
}

/** A key-value object of the REST API. */
export interface WireKeyValue {
  readonly key?: string;
  readonly keyBase64?: string;
  readonly value?: string;
  readonly valueBase64?: string;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  /** Hexadecimal. */
  readonly lease?: string;
}

/** Trusts the shape of what a member answers, once it is JSON: the server publishes and tests it. */
export function jsonOf<Shape>(reply: Reply): Shape {
  try {
    return JSON.parse(new TextDecoder().decode(reply.body)) as Shape;
  } catch (cause) {
    throw new BalsaError('internal', `${reply.endpoint} answered something that is not JSON; check the address.`, {
      cause,
    });
  }
}

export function keyValueOf(wire: WireKeyValue): KeyValue {
  return {
    key: bytesOfMembers(wire.key, wire.keyBase64),
    // Absent in a list of keys only.
    value: bytesOfMembers(wire.value, wire.valueBase64),
    createRevision: wire.createRevision,
    modRevision: wire.modRevision,
    version: wire.version,
    ...leaseMember(wire.lease),
  };
}

/** The revision in an entity tag: `"17"`. */
export function revisionOfTag(tag: string | null): number {
  return Number(/^(?:W\/)?"(\d+)"$/.exec(tag ?? '')?.[1] ?? Number.NaN);
}

/** The lease of a key, for `KeyValue`; nothing if it has none. */
export function leaseMember(text: string | null | undefined): { readonly lease?: LeaseId } {
  const lease = parseLeaseId(text ?? '');
  return lease === undefined ? {} : { lease };
}

/** @throws BalsaError `internal` for what is no lease id. */
export function leaseIdOf(text: string): LeaseId {
  const id = parseLeaseId(text);
  if (id !== undefined) return id;
  throw new BalsaError('internal', `The answer has "${text}" in place of a lease id; check the address.`);
}
