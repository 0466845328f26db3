import { createHash } from 'node:crypto';
import type { MemberRecord } from '../mvcc/index.ts';
import type { Configuration } from '../raft/index.ts';
import type { Config } from './config.ts';

/** Who this member is. */
export interface ClusterIdentity {
  readonly clusterId: string;
  readonly memberId: string;
  /** What an empty store and an empty log begin with: nothing, unless the cluster is founded with them. */
  readonly members: readonly MemberRecord[];
  readonly configuration: Configuration;
  /** Of the cluster that is founded. */
  readonly token?: string;
  /** The members, for as long as the store does not know any. */
  readonly whomToAsk: () => Promise<readonly Pick<MemberRecord, 'id' | 'peerUrls'>[]>;
}

/**
 * With whom this member founds a cluster: the same on every member, from the same configuration. Ids as etcd makes them for a new cluster (`server/etcdserver/api/membership/member.go`, `cluster.go`): a member's
 * from its peer URLs and the cluster's token, the cluster's from its members'. All members come to the same ids
 * without having talked to each other.
 */
export function foundingIdentity(config: Config): ClusterIdentity {
  const members = config.initialCluster.map(({ name, peerUrls }) => ({
    id: hash64([...peerUrls].sort().join('') + config.initialClusterToken),
    name,
    peerUrls,
    clientUrls: [],
    version: '',
  }));
  const self = members.find(({ name }) => name === config.name);
  if (self === undefined) throw new Error(`initial-cluster has no member named ${config.name}`);
  const voters = members.map(({ id }) => id).sort();
  return {
    clusterId: hash64(voters.join(',')),
    memberId: self.id,
    token: config.initialClusterToken,
    members,
    configuration: { voters, votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false },
    whomToAsk: async () => members,
  };
}

/** The first eight bytes of SHA-1 as an id; 0 means "nobody" to etcd's clients. */
function hash64(text: string): string {
  const id = createHash('sha1').update(text).digest().readBigUInt64BE();
  return (id === 0n ? 1n : id).toString(16);
}
