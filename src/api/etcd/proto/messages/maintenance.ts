import {
  bool,
  bytes,
  embedded,
  enumeration,
  int64,
  type MessageOf,
  messageType,
  repeated,
  string,
  uint32,
  uint64,
} from '../message-type.ts';
import { ResponseHeader } from './header.ts';

export const alarmTypes = ['NONE', 'NOSPACE', 'CORRUPT'] as const;
export const alarmActions = ['GET', 'ACTIVATE', 'DEACTIVATE'] as const;

const memberId = { protoName: 'memberID' };
const named = (protoName: string) => ({ protoName });

export const AlarmRequest = messageType('etcdserverpb.AlarmRequest', {
  action: enumeration(1, alarmActions),
  memberId: uint64(2, memberId),
  alarm: enumeration(3, alarmTypes),
});
export type AlarmRequest = MessageOf<typeof AlarmRequest>;

export const AlarmMember = messageType('etcdserverpb.AlarmMember', {
  memberId: uint64(1, memberId),
  alarm: enumeration(2, alarmTypes),
});
export type AlarmMember = MessageOf<typeof AlarmMember>;

export const AlarmResponse = messageType('etcdserverpb.AlarmResponse', {
  header: embedded(1, () => ResponseHeader),
  alarms: repeated(embedded(2, () => AlarmMember)),
});
export type AlarmResponse = MessageOf<typeof AlarmResponse>;

export const StatusRequest = messageType('etcdserverpb.StatusRequest', {});
export type StatusRequest = MessageOf<typeof StatusRequest>;

export const DowngradeInfo = messageType('etcdserverpb.DowngradeInfo', {
  enabled: bool(1),
  targetVersion: string(2, named('targetVersion')),
});

export const StatusResponse = messageType('etcdserverpb.StatusResponse', {
  header: embedded(1, () => ResponseHeader),
  version: string(2),
  dbSize: int64(3, named('dbSize')),
  leader: uint64(4),
  raftIndex: uint64(5, named('raftIndex')),
  raftTerm: uint64(6, named('raftTerm')),
  raftAppliedIndex: uint64(7, named('raftAppliedIndex')),
  errors: repeated(string(8)),
  dbSizeInUse: int64(9, named('dbSizeInUse')),
  isLearner: bool(10, named('isLearner')),
  storageVersion: string(11, named('storageVersion')),
  dbSizeQuota: int64(12, named('dbSizeQuota')),
  downgradeInfo: embedded(13, () => DowngradeInfo, named('downgradeInfo')),
});
export type StatusResponse = MessageOf<typeof StatusResponse>;

export const DefragmentRequest = messageType('etcdserverpb.DefragmentRequest', {});
export type DefragmentRequest = MessageOf<typeof DefragmentRequest>;

export const HashRequest = messageType('etcdserverpb.HashRequest', {});
export type HashRequest = MessageOf<typeof HashRequest>;

export const HashResponse = messageType('etcdserverpb.HashResponse', {
  header: embedded(1, () => ResponseHeader),
  hash: uint32(2),
});
export type HashResponse = MessageOf<typeof HashResponse>;

export const HashKvRequest = messageType('etcdserverpb.HashKVRequest', { revision: int64(1) });
export type HashKvRequest = MessageOf<typeof HashKvRequest>;

export const HashKvResponse = messageType('etcdserverpb.HashKVResponse', {
  header: embedded(1, () => ResponseHeader),
  hash: uint32(2),
  compactRevision: int64(3),
  hashRevision: int64(4),
});
export type HashKvResponse = MessageOf<typeof HashKvResponse>;

export const SnapshotRequest = messageType('etcdserverpb.SnapshotRequest', {});
export type SnapshotRequest = MessageOf<typeof SnapshotRequest>;

export const SnapshotResponse = messageType('etcdserverpb.SnapshotResponse', {
  header: embedded(1, () => ResponseHeader),
  remainingBytes: uint64(2),
  blob: bytes(3),
  version: string(4),
});
export type SnapshotResponse = MessageOf<typeof SnapshotResponse>;

export const MoveLeaderRequest = messageType('etcdserverpb.MoveLeaderRequest', {
  targetId: uint64(1, named('targetID')),
});
export type MoveLeaderRequest = MessageOf<typeof MoveLeaderRequest>;

export const DowngradeRequest = messageType('etcdserverpb.DowngradeRequest', {
  action: enumeration(1, ['VALIDATE', 'ENABLE', 'CANCEL']),
  version: string(2),
});
export type DowngradeRequest = MessageOf<typeof DowngradeRequest>;

export const DowngradeResponse = messageType('etcdserverpb.DowngradeResponse', {
  header: embedded(1, () => ResponseHeader),
  version: string(2),
});
export type DowngradeResponse = MessageOf<typeof DowngradeResponse>;
