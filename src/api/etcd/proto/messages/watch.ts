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
} from '../message-type.ts';
import { ResponseHeader } from './header.ts';
import { KeyValue } from './kv.ts';

/** etcd `api/mvccpb/kv.proto`. */
export const Event = messageType('mvccpb.Event', {
  type: enumeration(1, ['PUT', 'DELETE']),
  kv: embedded(2, () => KeyValue),
  prevKv: embedded(3, () => KeyValue),
});
export type Event = MessageOf<typeof Event>;

export const watchFilters = ['NOPUT', 'NODELETE'] as const;

export const WatchCreateRequest = messageType('etcdserverpb.WatchCreateRequest', {
  key: bytes(1),
  rangeEnd: bytes(2),
  startRevision: int64(3),
  progressNotify: bool(4),
  filters: repeated(enumeration(5, watchFilters)),
  prevKv: bool(6),
  watchId: int64(7),
  fragment: bool(8),
});
export type WatchCreateRequest = MessageOf<typeof WatchCreateRequest>;

export const WatchCancelRequest = messageType('etcdserverpb.WatchCancelRequest', { watchId: int64(1) });
export type WatchCancelRequest = MessageOf<typeof WatchCancelRequest>;

export const WatchProgressRequest = messageType('etcdserverpb.WatchProgressRequest', {});
export type WatchProgressRequest = MessageOf<typeof WatchProgressRequest>;

const union = { oneof: 'request_union' };

export const WatchRequest = messageType('etcdserverpb.WatchRequest', {
  createRequest: embedded(1, () => WatchCreateRequest, union),
  cancelRequest: embedded(2, () => WatchCancelRequest, union),
  progressRequest: embedded(3, () => WatchProgressRequest, union),
});
export type WatchRequest = MessageOf<typeof WatchRequest>;

export const WatchResponse = messageType('etcdserverpb.WatchResponse', {
  header: embedded(1, () => ResponseHeader),
  watchId: int64(2),
  created: bool(3),
  canceled: bool(4),
  compactRevision: int64(5),
  cancelReason: string(6),
  fragment: bool(7),
  events: repeated(embedded(11, () => Event)),
});
export type WatchResponse = MessageOf<typeof WatchResponse>;

/** The field `events` alone: behind the other fields of a `WatchResponse` it makes the whole of it. */
export const WatchEvents = messageType('etcdserverpb.WatchResponse', { events: repeated(embedded(11, () => Event)) });
