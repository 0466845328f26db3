export { BalsaError, type ErrorCode } from '../contract/errors.ts';
export type { KeyValue, RangeSort, Revision } from '../contract/kv.ts';
export type { ClusterMember, ClusterStatus, MemberStatus } from './answers.ts';
export {
  BalsaClient,
  type ClientOptions,
  connect,
  type DeleteResult,
  type ListOptions,
  type PutResult,
  type RangeOptions,
  type ReadConsistency,
  type ReadOptions,
  type RequestOptions,
  type WriteOptions,
} from './client.ts';
export type { Key } from './key-path.ts';
