import { bool, embedded, type MessageOf, messageType, repeated, string, uint64 } from '../message-type.ts';
import { ResponseHeader } from './header.ts';

const id = { protoName: 'ID' };
const peerUrls = { protoName: 'peerURLs' };
const isLearner = { protoName: 'isLearner' };

export const Member = messageType('etcdserverpb.Member', {
  id: uint64(1, id),
  name: string(2),
  peerUrls: repeated(string(3, peerUrls)),
  clientUrls: repeated(string(4, { protoName: 'clientURLs' })),
  isLearner: bool(5, isLearner),
});
export type Member = MessageOf<typeof Member>;

export const MemberAddRequest = messageType('etcdserverpb.MemberAddRequest', {
  peerUrls: repeated(string(1, peerUrls)),
  isLearner: bool(2, isLearner),
});
export type MemberAddRequest = MessageOf<typeof MemberAddRequest>;

export const MemberAddResponse = messageType('etcdserverpb.MemberAddResponse', {
  header: embedded(1, () => ResponseHeader),
  member: embedded(2, () => Member),
  members: repeated(embedded(3, () => Member)),
});

export const MemberRemoveRequest = messageType('etcdserverpb.MemberRemoveRequest', { id: uint64(1, id) });
export type MemberRemoveRequest = MessageOf<typeof MemberRemoveRequest>;

export const MemberUpdateRequest = messageType('etcdserverpb.MemberUpdateRequest', {
  id: uint64(1, id),
  peerUrls: repeated(string(2, peerUrls)),
});
export type MemberUpdateRequest = MessageOf<typeof MemberUpdateRequest>;

export const MemberListRequest = messageType('etcdserverpb.MemberListRequest', { linearizable: bool(1) });
export type MemberListRequest = MessageOf<typeof MemberListRequest>;

export const MemberPromoteRequest = messageType('etcdserverpb.MemberPromoteRequest', { id: uint64(1, id) });
export type MemberPromoteRequest = MessageOf<typeof MemberPromoteRequest>;

/** Of MemberList, MemberRemove, MemberUpdate and MemberPromote. */
export const MembersResponse = messageType('etcdserverpb.MemberListResponse', {
  header: embedded(1, () => ResponseHeader),
  members: repeated(embedded(2, () => Member)),
});
export type MembersResponse = MessageOf<typeof MembersResponse>;
