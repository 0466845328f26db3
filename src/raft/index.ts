export { decodeEntry, encodeEntry } from './entry-record.ts';
export { defaultRaftOptions } from './options.ts';
export { RaftCore } from './raft.ts';
export type { TransferResult } from './transfer.ts';
export type {
  Configuration,
  Entry,
  EntryType,
  FollowerView,
  HardState,
  LogIndex,
  LogReader,
  MemberId,
  Message,
  ProposalRefusal,
  ProposalResult,
  RaftOptions,
  RaftStatus,
  ReadState,
  Ready,
  Role,
  SoftState,
  Term,
} from './types.ts';
