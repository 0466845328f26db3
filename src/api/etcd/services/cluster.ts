import type { MemberDescription, MembershipAnswer } from '../../../contract/members.ts';
import { checkLeader, type EtcdOptions, type Headers, idNumber } from '../etcd-options.ts';
import { type Call, type Service, unary } from '../method.ts';
import type { Init } from '../proto/message-type.ts';
import * as messages from '../proto/messages/cluster.ts';
import { etcdErrors } from '../status.ts';

/** `etcdserverpb.Cluster`. */
export function clusterService({ kv, cluster, membership }: EtcdOptions, headers: Headers): Service {
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

  async function add({ peerUrls, isLearner }: messages.MemberAddRequest, { timeoutMs }: Call) {
    checkUrls(peerUrls);
    // A voter begins as a learner too, and votes when it has caught up: until then it costs no quorum.
    const promote = isLearner ? 'manual' : 'auto';
    const { header, member, members } = await membership.add({ name: '', peerUrls, promote }, { timeoutMs });
    const added = member && { ...describedMessage(member), isLearner };
    return { header: headers.of(header), ...(added && { member: added }), members: members.map(describedMessage) };
  }

  async function remove({ id }: messages.MemberRemoveRequest, { timeoutMs }: Call) {
    return changed(await membership.remove(id.toString(16), { timeoutMs }));
  }

  async function update({ id, peerUrls }: messages.MemberUpdateRequest, { timeoutMs }: Call) {
    checkUrls(peerUrls);
    return changed(await membership.update(id.toString(16), peerUrls, { timeoutMs }));
  }

  async function promote({ id }: messages.MemberPromoteRequest, { timeoutMs }: Call) {
    return changed(await membership.promote(id.toString(16), { timeoutMs }));
  }

  function changed({ header, members }: MembershipAnswer): Init<messages.MembersResponse> {
    return { header: headers.of(header), members: members.map(describedMessage) };
  }

  const { MemberAddRequest, MemberRemoveRequest, MemberUpdateRequest, MemberPromoteRequest } = messages;
  const { MemberAddResponse, MembersResponse } = messages;
  return {
    name: 'etcdserverpb.Cluster',
    methods: [
      unary('MemberList', ['cluster/member/list'], messages.MemberListRequest, MembersResponse, list),
      unary('MemberAdd', ['cluster/member/add'], MemberAddRequest, MemberAddResponse, add),
      unary('MemberRemove', ['cluster/member/remove'], MemberRemoveRequest, MembersResponse, remove),
      unary('MemberUpdate', ['cluster/member/update'], MemberUpdateRequest, MembersResponse, update),
      unary('MemberPromote', ['cluster/member/promote'], MemberPromoteRequest, MembersResponse, promote),
    ],
  };
}

type ClusterMember = Awaited<ReturnType<EtcdOptions['cluster']['cluster']>>['members'][number];

function memberMessage(member: ClusterMember): Init<messages.Member> {
  return describedMessage({ ...member, name: member.clientUrls.length === 0 ? '' : member.name });
}

/** By an empty name etcd's clients know a member that has not been started. */
function describedMessage({ id, name, peerUrls, clientUrls, role }: MemberDescription): Init<messages.Member> {
  return { id: idNumber(id), name, peerUrls, clientUrls, isLearner: role === 'learner' };
}

function checkUrls(urls: readonly string[]): void {
  if (urls.length === 0 || !urls.every((url) => URL.canParse(url))) throw etcdErrors.badMemberUrls();
}

const anyKey = Buffer.of(0);
