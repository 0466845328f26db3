export {
  configurationFault,
  emptyConfiguration,
  isEmptyConfiguration,
  isJoint,
  isVoter,
  membersOf,
} from './configuration.ts';
export { type ConfigurationData, decodeConfigurationData, encodeConfigurationData } from './configuration-data.ts';
export { ConfigurationHistory } from './configuration-history.ts';
export { decodeEntry, encodeEntry } from './entry-record.ts';
export { defaultRaftOptions } from './options.ts';
export { RaftCore } from './raft.ts';
export type { TransferResult } from './transfer.ts';
export type {
  Configuration,
  ConfigurationChange,
  ConfigurationEntry,
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
  Snapshot,
  SnapshotOffer,
  SoftState,
  Term,
} from './types.ts';
