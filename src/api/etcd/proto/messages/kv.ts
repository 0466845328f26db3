import {
  bool,
  bytes,
  embedded,
  enumeration,
  int64,
  type MessageOf,
  type MessageType,
  messageType,
  repeated,
} from '../message-type.ts';
import { ResponseHeader } from './header.ts';

/** etcd `api/mvccpb/kv.proto`. */
export const KeyValue = messageType('mvccpb.KeyValue', {
  key: bytes(1),
  createRevision: int64(2),
  modRevision: int64(3),
  version: int64(4),
  value: bytes(5),
  lease: int64(6),
});
export type KeyValue = MessageOf<typeof KeyValue>;

export const sortOrders = ['NONE', 'ASCEND', 'DESCEND'] as const;
export const sortTargets = ['KEY', 'VERSION', 'CREATE', 'MOD', 'VALUE'] as const;

export const RangeRequest = messageType('etcdserverpb.RangeRequest', {
  key: bytes(1),
  rangeEnd: bytes(2),
  limit: int64(3),
  revision: int64(4),
  sortOrder: enumeration(5, sortOrders),
  sortTarget: enumeration(6, sortTargets),
  serializable: bool(7),
  keysOnly: bool(8),
  countOnly: bool(9),
  minModRevision: int64(10),
  maxModRevision: int64(11),
  minCreateRevision: int64(12),
  maxCreateRevision: int64(13),
});
export type RangeRequest = MessageOf<typeof RangeRequest>;

export const RangeResponse = messageType('etcdserverpb.RangeResponse', {
  header: embedded(1, () => ResponseHeader),
  kvs: repeated(
    embedded(2, () => KeyValue),
    { mayComeAgain: true },
  ),
  more: bool(3),
  count: int64(4),
});
export type RangeResponse = MessageOf<typeof RangeResponse>;

export const RangeStreamResponse = messageType('etcdserverpb.RangeStreamResponse', {
  rangeResponse: embedded(1, () => RangeResponse),
});
export type RangeStreamResponse = MessageOf<typeof RangeStreamResponse>;

export const PutRequest = messageType('etcdserverpb.PutRequest', {
  key: bytes(1),
  value: bytes(2),
  lease: int64(3),
  prevKv: bool(4),
  ignoreValue: bool(5),
  ignoreLease: bool(6),
});
export type PutRequest = MessageOf<typeof PutRequest>;

export const PutResponse = messageType('etcdserverpb.PutResponse', {
  header: embedded(1, () => ResponseHeader),
  prevKv: embedded(2, () => KeyValue),
});
export type PutResponse = MessageOf<typeof PutResponse>;

export const DeleteRangeRequest = messageType('etcdserverpb.DeleteRangeRequest', {
  key: bytes(1),
  rangeEnd: bytes(2),
  prevKv: bool(3),
});
export type DeleteRangeRequest = MessageOf<typeof DeleteRangeRequest>;

export const DeleteRangeResponse = messageType('etcdserverpb.DeleteRangeResponse', {
  header: embedded(1, () => ResponseHeader),
  deleted: int64(2),
  prevKvs: repeated(embedded(3, () => KeyValue)),
});
export type DeleteRangeResponse = MessageOf<typeof DeleteRangeResponse>;

export const compareResults = ['EQUAL', 'GREATER', 'LESS', 'NOT_EQUAL'] as const;
export const compareTargets = ['VERSION', 'CREATE', 'MOD', 'VALUE', 'LEASE'] as const;

const union = { oneof: 'target_union' };

export const Compare = messageType('etcdserverpb.Compare', {
  result: enumeration(1, compareResults),
  target: enumeration(2, compareTargets),
  key: bytes(3),
  version: int64(4, union),
  createRevision: int64(5, union),
  modRevision: int64(6, union),
  value: bytes(7, union),
  lease: int64(8, union),
  rangeEnd: bytes(64),
});
export type Compare = MessageOf<typeof Compare>;

/** At most one is set. */
export interface RequestOp {
  requestRange: RangeRequest | undefined;
  requestPut: PutRequest | undefined;
  requestDeleteRange: DeleteRangeRequest | undefined;
  requestTxn: TxnRequest | undefined;
}

export interface TxnRequest {
  compare: readonly Compare[];
  success: readonly RequestOp[];
  failure: readonly RequestOp[];
}

/** At most one is set. */
export interface ResponseOp {
  responseRange: RangeResponse | undefined;
  responsePut: PutResponse | undefined;
  responseDeleteRange: DeleteRangeResponse | undefined;
  responseTxn: TxnResponse | undefined;
}

export interface TxnResponse {
  header: ResponseHeader | undefined;
  succeeded: boolean;
  responses: readonly ResponseOp[];
}

const request = { oneof: 'request' };
const response = { oneof: 'response' };

export const RequestOp: MessageType<RequestOp> = messageType('etcdserverpb.RequestOp', {
  requestRange: embedded(1, () => RangeRequest, request),
  requestPut: embedded(2, () => PutRequest, request),
  requestDeleteRange: embedded(3, () => DeleteRangeRequest, request),
  requestTxn: embedded(4, (): MessageType<TxnRequest> => TxnRequest, request),
});

export const TxnRequest: MessageType<TxnRequest> = messageType('etcdserverpb.TxnRequest', {
  compare: repeated(embedded(1, () => Compare)),
  success: repeated(embedded(2, (): MessageType<RequestOp> => RequestOp)),
  failure: repeated(embedded(3, (): MessageType<RequestOp> => RequestOp)),
});

export const ResponseOp: MessageType<ResponseOp> = messageType('etcdserverpb.ResponseOp', {
  responseRange: embedded(1, () => RangeResponse, response),
  responsePut: embedded(2, () => PutResponse, response),
  responseDeleteRange: embedded(3, () => DeleteRangeResponse, response),
  responseTxn: embedded(4, (): MessageType<TxnResponse> => TxnResponse, response),
});

export const TxnResponse: MessageType<TxnResponse> = messageType('etcdserverpb.TxnResponse', {
  header: embedded(1, () => ResponseHeader),
  succeeded: bool(2),
  responses: repeated(embedded(3, (): MessageType<ResponseOp> => ResponseOp)),
});

export const CompactionRequest = messageType('etcdserverpb.CompactionRequest', {
  revision: int64(1),
  physical: bool(2),
});
export type CompactionRequest = MessageOf<typeof CompactionRequest>;

export const CompactionResponse = messageType('etcdserverpb.CompactionResponse', {
  header: embedded(1, () => ResponseHeader),
});
export type CompactionResponse = MessageOf<typeof CompactionResponse>;
