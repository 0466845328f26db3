import { isOlder } from '../base/software-version.ts';
import type { MemberId } from '../raft/types.ts';
import { type Hello, protocolVersions, type Refused } from './codec.ts';
import type { RefusalCode } from './transport.ts';

export const peerPath = '/v1/peer';
/** As etcd's: for whoever wants to join, before any handshake. */
export const membersPath = '/members';
export const upgradeToken = 'balsa-peer';

/** Whether that is where a member can be dialed. */
export function isDialable(url: string): boolean {
  return URL.canParse(url) && new URL(url).protocol === 'http:';
}

/** Who this member is, and whom it knows at the moment. */
export interface Identity {
  readonly clusterId: string;
  readonly memberId: MemberId;
  readonly peerIds: ReadonlySet<MemberId>;
  readonly removedIds: ReadonlySet<MemberId>;
  /** As `0.2`: what all members agreed to understand. */
  readonly clusterVersion: string;
}

/** Why the sender of that hello is not talked to; `undefined` if it is. */
export function objectionTo(hello: Hello, self: Identity): Refused | undefined {
  const { min, max } = protocolVersions;
  if (hello.versionMin > max || hello.versionMax < min) {
    return refused(
      'no_common_version',
      `member ${self.memberId} speaks the peer protocol versions ${min} to ${max}, member ${hello.from} ` +
        `${hello.versionMin} to ${hello.versionMax}: upgrade the older one`,
    );
  }
  if (hello.clusterId !== self.clusterId) {
    return refused(
      'other_cluster',
      `member ${self.memberId} belongs to cluster ${self.clusterId}, member ${hello.from} to ${hello.clusterId}: ` +
        'compare --initial-cluster and --initial-cluster-token of both',
    );
  }
  // Before anything else about it: whoever was removed may find another member at the URLs that it knows.
  if (self.removedIds.has(hello.from)) return refusedAsRemoved(hello.from);
  if (hello.from === self.memberId) {
    return refused(
      'own_id',
      `both sides are member ${self.memberId}: a peer URL leads back to the member itself, or two members run under ` +
        'one name or with copies of one data directory',
    );
  }
  if (hello.to !== self.memberId) {
    return refused(
      'wrong_member',
      `member ${hello.to} was expected here, but this is member ${self.memberId}: check the peer URLs in --initial-cluster`,
    );
  }
  if (!self.peerIds.has(hello.from)) {
    return refused(
      'unknown_member',
      `member ${self.memberId} knows no member ${hello.from} in this cluster: it may not have heard yet that it was added; ` +
        'compare "balsa member list", and --initial-cluster of both if the cluster is new',
    );
  }
  if (isOlder(hello.software, self.clusterVersion)) {
    return refused(
      'version_too_old',
      `the cluster has agreed on version ${self.clusterVersion}, and member ${hello.from} runs ${hello.software}, which ` +
        'may not understand what is in the log: start it with the newer version',
    );
  }
  return undefined;
}

export function refusedAsRemoved(member: MemberId): Refused {
  return refused(
    'removed',
    `member ${member} was removed from the cluster, and an id never comes back: to bring the machine back as a new member, ` +
      'empty its data directory and add it again',
  );
}

export function refused(code: RefusalCode, reason: string): Refused {
  return { type: 'refused', code, reason };
}
