import type { MemberId } from '../raft/types.ts';
import { type Hello, protocolVersions, type Refused } from './codec.ts';

export const peerPath = '/v1/peer';
export const upgradeToken = 'balsa-peer';

/** Who this member is, and whom it knows. */
export interface Identity {
  readonly clusterId: string;
  readonly memberId: MemberId;
  readonly peerIds: ReadonlySet<MemberId>;
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
      `member ${self.memberId} knows no member ${hello.from} in this cluster: check that both have the same --initial-cluster`,
    );
  }
  return undefined;
}

export function refused(code: string, reason: string): Refused {
  return { type: 'refused', code, reason };
}
