import { bool, bytes, embedded, int64, type MessageOf, messageType, repeated, string } from '../message-type.ts';
import { ResponseHeader } from './header.ts';

const ttl = { protoName: 'TTL' };
const id = { protoName: 'ID' };

export const LeaseGrantRequest = messageType('etcdserverpb.LeaseGrantRequest', {
  ttl: int64(1, ttl),
  id: int64(2, id),
});
export type LeaseGrantRequest = MessageOf<typeof LeaseGrantRequest>;

export const LeaseGrantResponse = messageType('etcdserverpb.LeaseGrantResponse', {
  header: embedded(1, () => ResponseHeader),
  id: int64(2, id),
  ttl: int64(3, ttl),
  error: string(4),
});
export type LeaseGrantResponse = MessageOf<typeof LeaseGrantResponse>;

export const LeaseRevokeRequest = messageType('etcdserverpb.LeaseRevokeRequest', { id: int64(1, id) });
export type LeaseRevokeRequest = MessageOf<typeof LeaseRevokeRequest>;

export const LeaseRevokeResponse = messageType('etcdserverpb.LeaseRevokeResponse', {
  header: embedded(1, () => ResponseHeader),
});
export type LeaseRevokeResponse = MessageOf<typeof LeaseRevokeResponse>;

export const LeaseKeepAliveRequest = messageType('etcdserverpb.LeaseKeepAliveRequest', { id: int64(1, id) });
export type LeaseKeepAliveRequest = MessageOf<typeof LeaseKeepAliveRequest>;

export const LeaseKeepAliveResponse = messageType('etcdserverpb.LeaseKeepAliveResponse', {
  header: embedded(1, () => ResponseHeader),
  id: int64(2, id),
  ttl: int64(3, ttl),
});
export type LeaseKeepAliveResponse = MessageOf<typeof LeaseKeepAliveResponse>;

export const LeaseTimeToLiveRequest = messageType('etcdserverpb.LeaseTimeToLiveRequest', {
  id: int64(1, id),
  keys: bool(2),
});
export type LeaseTimeToLiveRequest = MessageOf<typeof LeaseTimeToLiveRequest>;

export const LeaseTimeToLiveResponse = messageType('etcdserverpb.LeaseTimeToLiveResponse', {
  header: embedded(1, () => ResponseHeader),
  id: int64(2, id),
  ttl: int64(3, ttl),
  grantedTtl: int64(4, { protoName: 'grantedTTL' }),
  keys: repeated(bytes(5)),
});
export type LeaseTimeToLiveResponse = MessageOf<typeof LeaseTimeToLiveResponse>;

export const LeaseLeasesRequest = messageType('etcdserverpb.LeaseLeasesRequest', {});
export type LeaseLeasesRequest = MessageOf<typeof LeaseLeasesRequest>;

export const LeaseStatus = messageType('etcdserverpb.LeaseStatus', { id: int64(1, id) });
export type LeaseStatus = MessageOf<typeof LeaseStatus>;

export const LeaseLeasesResponse = messageType('etcdserverpb.LeaseLeasesResponse', {
  header: embedded(1, () => ResponseHeader),
  leases: repeated(embedded(2, () => LeaseStatus)),
});
export type LeaseLeasesResponse = MessageOf<typeof LeaseLeasesResponse>;
