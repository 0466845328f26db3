import { checkLeader, type EtcdOptions, type Headers, idNumber } from '../etcd-options.ts';
import { type Call, failing, type Service, unary } from '../method.ts';
import type { Init } from '../proto/message-type.ts';
import * as messages from '../proto/messages/cluster.ts';
import { etcdErrors } from '../status.ts';

/** `etcdserverpb.Cluster`. */
export function clusterService({ kv, cluster }: EtcdOptions, headers: Headers): Service {
  async function list(
    { linearizable }: messages.MemberListRequest,
    call: Call,
  ): Promise<Init<messages.MembersResponse>> {
    checkLeader(call, cluster);
    const { timeoutMs } = call;
    // A read of any key waits until this member knows what the cluster has agreed on.
    if (linearizable) await kv.get(anyKey, { timeoutMs, consistency: { level: 'linearizable' } });
    const { members } = await cluster.cluster({ timeoutMs });
    return { header: headers.now(), members: members.map(memberMessage) };
  }

  const { MemberAddRequest, MemberRemoveRequest, MemberUpdateRequest, MemberPromoteRequest } = messages;
  const change = () => etcdErrors.notBuilt('changing the members');
  return {
    name: 'etcdserverpb.Cluster',
    methods: [
      unary('MemberList', ['cluster/member/list'], messages.MemberListRequest, messages.MembersResponse, list),
      failing('MemberAdd', ['cluster/member/add'], MemberAddRequest, change),
      failing('MemberRemove', ['cluster/member/remove'], MemberRemoveRequest, change),
      failing('MemberUpdate', ['cluster/member/update'], MemberUpdateRequest, change),
      failing('MemberPromote', ['cluster/member/promote'], MemberPromoteRequest, change),
    ],
  };
}

type ClusterMember = Awaited<ReturnType<EtcdOptions['cluster']['cluster']>>['members'][number];

function memberMessage(member: ClusterMember): Init<messages.Member> {
  const { id, name, peerUrls, clientUrls, role } = member;
  return { id: idNumber(id), name, peerUrls, clientUrls, isLearner: role === 'learner' };
}

const anyKey = Buffer.of(0);
