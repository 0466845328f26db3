import { int64, type MessageOf, messageType, uint64 } from '../message-type.ts';

/** Where and when an answer was made (etcd `api/etcdserverpb/rpc.proto`, as all messages here). */
export const ResponseHeader = messageType('etcdserverpb.ResponseHeader', {
  clusterId: uint64(1),
  memberId: uint64(2),
  revision: int64(3),
  raftTerm: uint64(4),
});
export type ResponseHeader = MessageOf<typeof ResponseHeader>;
