export { AutoCompaction, type AutoCompactionOptions } from './auto-compaction.ts';
export { ReplicaBackupService } from './backup-service.ts';
export { ReplicaClusterService } from './cluster-service.ts';
export { ClusterVersion } from './cluster-version.ts';
export type { IncomingStore } from './incoming-store.ts';
export { Integrity, StateDiffers } from './integrity.ts';
export { ReplicaKvService } from './kv-service.ts';
export { ReplicaLeaseService } from './lease-service.ts';
export { MemberExpelled } from './member-expelled.ts';
export { ReplicaMembershipService } from './membership-service.ts';
export { noMetrics, type ReplicaMetrics } from './metrics.ts';
export { type OpenStateOptions, openState, type State } from './open-state.ts';
export { removedAtStart } from './peer-list.ts';
export type { LeaderProgress } from './progress.ts';
export { Quota } from './quota.ts';
export { ReluctantLeader } from './reluctant-leader.ts';
export { publishCommand, type RaftLimits, Replica, type ReplicaOptions } from './replica.ts';
export type { ReplicaLog } from './replica-log.ts';
export { Scrubber } from './scrubber.ts';
export type {
  Alarm,
  ClusterMember,
  ClusterService,
  ClusterView,
  HealthCheck,
  KvService,
  LeaseService,
  MemberState,
  MemberStatus,
  PeerStatus,
  RangePage,
  ReadOptions,
  RequestOptions,
  VersionView,
  Watch,
  WatchService,
  WatchSink,
  WriteOptions,
} from './service.ts';
export type { StateFiles } from './state-files.ts';
export { ReplicaWatchService } from './watch-service.ts';
