import { etcdVersion } from '../../../contract/etcd-version.ts';
import { checkLeader, type EtcdOptions, type Headers, idNumber } from '../etcd-options.ts';
import { type Call, failing, type Service, unary } from '../method.ts';
import type { Init } from '../proto/message-type.ts';
import { HeaderResponse } from '../proto/messages/empty.ts';
import * as messages from '../proto/messages/maintenance.ts';
import { EtcdError, etcdErrors } from '../status.ts';
import { snapshotStream } from './snapshot-stream.ts';
import { StateHashes } from './state-hashes.ts';

/** `etcdserverpb.Maintenance`. */
export function maintenanceService({ kv, cluster, membership, backup }: EtcdOptions, headers: Headers): Service {
  const hashes = new StateHashes(kv, cluster);

  async function alarm(request: messages.AlarmRequest): Promise<Init<messages.AlarmResponse>> {
    const { action } = request;
    if (messages.alarmActions[action] === 'ACTIVATE') {
      throw new EtcdError(
        'UNIMPLEMENTED',
        'etcdserver: alarms are raised by the cluster itself, when its space is used up or a member is corrupt',
      );
    }
    // They end by themselves as soon as what they tell of is over: a deactivation has nothing to do, and so says of none that it ended it.
    const alarms = messages.alarmActions[action] === 'GET' ? alarmsAsked(request) : [];
    return { header: headers.now(), alarms };
  }

  function alarmsAsked({ memberId, alarm: type }: messages.AlarmRequest): readonly Init<messages.AlarmMember>[] {
    const own = idNumber(cluster.status().memberId);
    return cluster
      .alarms()
      .map((one) => ({
        memberId: one.memberId === undefined ? own : idNumber(one.memberId),
        alarm: one.kind === 'no_space' ? 1 : 2,
      }))
      .filter((one) => (memberId === 0n || one.memberId === memberId) && (type === 0 || one.alarm === type));
  }

  async function status(): Promise<Init<messages.StatusResponse>> {
    const one = cluster.status();
    return {
      header: headers.now(),
      version: etcdVersion,
      dbSize: one.dbSizeBytes,
      leader: one.leader === undefined ? 0n : idNumber(one.leader),
      raftIndex: one.lastIndex,
      raftTerm: one.raftTerm,
      raftAppliedIndex: one.appliedIndex,
      errors: one.errors,
      dbSizeInUse: one.usedBytes,
      isLearner: one.state === 'learner',
      storageVersion: etcdVersion,
      dbSizeQuota: one.quotaBytes,
      downgradeInfo: {},
    };
  }

  async function hashKv({ revision }: messages.HashKvRequest): Promise<Init<messages.HashKvResponse>> {
    return { header: headers.now(), ...(await hashes.at(revision)) };
  }

  async function hash(): Promise<Init<messages.HashResponse>> {
    const { hash: value } = await hashes.at(0n);
    return { header: headers.now(), hash: value };
  }

  /** Space is given back all the time; there is nothing to wait for. */
  async function defragment(_: object, call: Call): Promise<object> {
    checkLeader(call, cluster);
    return { header: headers.now() };
  }

  /** Of etcd's only the leader can; any member of this cluster passes it on. */
  async function moveLeader({ targetId }: messages.MoveLeaderRequest, { timeoutMs }: Call): Promise<object> {
    const { header } = await membership.moveLeader(targetId.toString(16), { timeoutMs });
    return { header: headers.of(header) };
  }

  const { AlarmRequest, AlarmResponse, StatusRequest, StatusResponse, HashRequest, HashResponse } = messages;
  return {
    name: 'etcdserverpb.Maintenance',
    methods: [
      unary('Alarm', ['maintenance/alarm'], AlarmRequest, AlarmResponse, alarm),
      unary('Status', ['maintenance/status'], StatusRequest, StatusResponse, status),
      unary('Defragment', ['maintenance/defragment'], messages.DefragmentRequest, HeaderResponse, defragment),
      unary('Hash', ['maintenance/hash'], HashRequest, HashResponse, hash),
      unary('HashKV', ['maintenance/hashkv'], messages.HashKvRequest, messages.HashKvResponse, hashKv),
      snapshotStream(backup, headers),
      unary('MoveLeader', ['maintenance/transfer-leadership'], messages.MoveLeaderRequest, HeaderResponse, moveLeader),
      failing('Downgrade', ['maintenance/downgrade'], messages.DowngradeRequest, () =>
        etcdErrors.notBuilt('a downgrade'),
      ),
    ],
  };
}
