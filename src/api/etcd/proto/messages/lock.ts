import { bytes, embedded, int64, type MessageOf, messageType } from '../message-type.ts';
import { ResponseHeader } from './header.ts';
import { KeyValue } from './kv.ts';

/** etcd `server/etcdserver/api/v3lock/v3lockpb/v3lock.proto`. */
export const LockRequest = messageType('v3lockpb.LockRequest', { name: bytes(1), lease: int64(2) });
export type LockRequest = MessageOf<typeof LockRequest>;

export const LockResponse = messageType('v3lockpb.LockResponse', {
  header: embedded(1, () => ResponseHeader),
  key: bytes(2),
});

export const UnlockRequest = messageType('v3lockpb.UnlockRequest', { key: bytes(1) });
export type UnlockRequest = MessageOf<typeof UnlockRequest>;

/** etcd `server/etcdserver/api/v3election/v3electionpb/v3election.proto`. */
export const LeaderKey = messageType('v3electionpb.LeaderKey', {
  name: bytes(1),
  key: bytes(2),
  rev: int64(3),
  lease: int64(4),
});
export type LeaderKey = MessageOf<typeof LeaderKey>;

export const CampaignRequest = messageType('v3electionpb.CampaignRequest', {
  name: bytes(1),
  lease: int64(2),
  value: bytes(3),
});
export type CampaignRequest = MessageOf<typeof CampaignRequest>;

export const CampaignResponse = messageType('v3electionpb.CampaignResponse', {
  header: embedded(1, () => ResponseHeader),
  leader: embedded(2, () => LeaderKey),
});

export const ProclaimRequest = messageType('v3electionpb.ProclaimRequest', {
  leader: embedded(1, () => LeaderKey),
  value: bytes(2),
});
export type ProclaimRequest = MessageOf<typeof ProclaimRequest>;

export const LeaderRequest = messageType('v3electionpb.LeaderRequest', { name: bytes(1) });
export type LeaderRequest = MessageOf<typeof LeaderRequest>;

export const LeaderResponse = messageType('v3electionpb.LeaderResponse', {
  header: embedded(1, () => ResponseHeader),
  kv: embedded(2, () => KeyValue),
});
export type LeaderResponse = MessageOf<typeof LeaderResponse>;

export const ResignRequest = messageType('v3electionpb.ResignRequest', { leader: embedded(1, () => LeaderKey) });
export type ResignRequest = MessageOf<typeof ResignRequest>;
