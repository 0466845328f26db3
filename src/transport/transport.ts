import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import type { MemberId, Message } from '../raft/types.ts';

/** One question of a member to another outside of Raft, such as a forwarded write. Bytes in, bytes out. */
export interface PeerRequest {
  readonly groupId: number;
  /** What is asked, a small number of the asking room's own; unknown ones are answered with a failure. */
  readonly kind: number;
  readonly body: Uint8Array;
  /** The answer is of no use after that time. */
  readonly timeoutMs: number;
  /**
   * `bulk`: over a connection of its own, which is opened when it is first needed and closed when it has been idle for a
   * while, so that long answers delay nothing else. It waits for that connection, as long as its time lasts.
   */
  readonly channel?: 'bulk' | undefined;
}

/**
 * How a request to a peer ended. `not_sent`: it certainly had no effect, because no byte of it left, or because the
 * peer answered that nobody took it up. `lost`: it may have had one; the connection broke or the time was up before an
 * answer came, or its handler failed.
 */
export type PeerAnswer =
  | { readonly outcome: 'answered'; readonly body: Uint8Array }
  | { readonly outcome: 'not_sent'; readonly reason: string }
  | { readonly outcome: 'lost'; readonly reason: string };

export type PeerRequestHandler = (from: MemberId, request: PeerRequest) => Promise<Uint8Array>;

/** What is known of the connection to one peer, for status pages. */
export interface PeerView {
  readonly id: MemberId;
  readonly address: string;
  readonly state: 'connecting' | 'connected' | 'refused';
  /** Why it is not connected, in words an operator can act upon. */
  readonly reason: string | undefined;
  /** Milliseconds since the last frame from it, in either direction's connection; Infinity if there never was one. */
  readonly lastContactMs: number;
  readonly roundTripMs: number | undefined;
  readonly queuedBytes: number;
}

/** The members' network, as the replica uses it. The simulator has another one. */
export interface Transport {
  /**
   * Queues Raft messages; never blocks and never throws. A message that does not fit into the bounded queue, or whose
   * peer is not connected, is dropped and `onUnreachable` is told: Raft repeats what matters.
   */
  send(groupId: number, messages: readonly Message[]): void;
  request(to: MemberId, request: PeerRequest): Promise<PeerAnswer>;
  /**
   * The other members from here on. Connections to those that stay, at the same URLs, are not touched. Whoever is in
   * `removed` is told so when it speaks, and stops for good; members that are in neither are told to come again.
   */
  setPeers(peers: readonly Peer[], removed: ReadonlySet<MemberId>): void;
  /** Sets who takes what arrives. Before that, and for a group nobody serves, it is dropped. */
  serve(groupId: number, receiver: Receiver): void;
  peers(): readonly PeerView[];
  close(): Promise<void>;
}

export interface Receiver {
  onMessages(messages: readonly Message[]): void;
  onRequest: PeerRequestHandler;
  /** A message to that member was dropped, or its connection broke. */
  onUnreachable(member: MemberId): void;
  /** A connection to or from that member came up. */
  onReachable(member: MemberId): void;
}

export interface Peer {
  readonly id: MemberId;
  /** Tried in turn. `http://host:port`. */
  readonly urls: readonly string[];
}

/** Why a member is not talked to. A code never gets a second meaning: members of all versions exchange them. */
export type RefusalCode =
  | 'no_common_version'
  /** The cluster has agreed on what this software does not know. */
  | 'version_too_old'
  | 'other_cluster'
  | 'own_id'
  | 'wrong_member'
  | 'unknown_member'
  /** For good: an id that was removed never comes back. */
  | 'removed'
  | 'duplicate_member'
  | 'superseded';

/** A peer does not talk to this member. */
export interface Refusal {
  readonly by: MemberId;
  /** Of another version perhaps, which knows other codes. */
  readonly code: RefusalCode | (string & {});
  /** In words that an operator can act upon. */
  readonly reason: string;
}

/** The cluster as one member knows it, for whoever wants to join: `GET /members` on the port for peers. */
export interface ClusterDescription {
  readonly clusterId: string;
  /** Whose description it is. */
  readonly memberId: MemberId;
  /** Of several descriptions the one with the highest is the newest. */
  readonly appliedIndex: number;
  /** What all members agreed to understand, as `0.2`. */
  readonly clusterVersion: string;
  readonly members: readonly DescribedMember[];
}

export interface DescribedMember {
  readonly id: MemberId;
  /** Empty until the member has been started. */
  readonly name: string;
  readonly role: 'voter' | 'learner';
  readonly peerUrls: readonly string[];
  /** Empty until the member has been started, as its version. */
  readonly clientUrls: readonly string[];
  readonly version: string;
}

export interface TransportOptions {
  readonly clusterId: string;
  readonly memberId: MemberId;
  readonly listenUrls: readonly string[];
  /** Where the others dial this member; told to those who may not have heard of it. */
  readonly advertisedUrls?: () => readonly string[];
  /** The other members, to begin with. */
  readonly peers: readonly Peer[];
  readonly removed: ReadonlySet<MemberId>;
  /** `0.2.0`; told to the others. */
  readonly softwareVersion: string;
  /** As `0.2`: whoever runs older software is refused. */
  readonly clusterVersion: () => string;
  /** Without it, `GET /members` is answered with 503. */
  readonly describeCluster?: () => ClusterDescription | undefined;
  /** A peer refused this member; told each time. After `removed` there is nothing left to do here. */
  readonly onRefused?: (refusal: Refusal) => void;
  readonly heartbeatMs: number;
  /** Bytes waiting for one peer, beyond which messages are dropped. */
  readonly queueBytesMax: number;
  /** The longest frame that is read; a longer one ends the connection before it is buffered. */
  readonly frameBytesMax: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics?: TransportMetrics;
  readonly log: TransportLog;
}

/** What the transport tells about its work, of one peer at a time. */
export interface TransportMetrics {
  sent(peer: MemberId, bytes: number): void;
  received(peer: MemberId, bytes: number): void;
  /** A message was dropped, or the connection to the peer could not be made or broke. */
  sendFailed(peer: MemberId): void;
  /** The peer sent what it must not send. */
  receiveFailed(peer: MemberId): void;
  roundTrip(peer: MemberId, durationMs: number): void;
}

export const noTransportMetrics: TransportMetrics = {
  sent: () => undefined,
  received: () => undefined,
  sendFailed: () => undefined,
  receiveFailed: () => undefined,
  roundTrip: () => undefined,
};

/** One event name per thing that happens; the members of `facts` go into the log line. */
export interface TransportLog {
  info(event: string, facts: Record<string, unknown>): void;
  warn(event: string, facts: Record<string, unknown>): void;
}
