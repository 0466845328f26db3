export { ReplicaClusterService } from './cluster-service.ts';
export { ReplicaKvService } from './kv-service.ts';
export { noMetrics, type ReplicaMetrics } from './metrics.ts';
export { type OpenStateOptions, openState, type State, type StateFiles } from './open-state.ts';
export type { LeaderProgress } from './progress.ts';
export { publishCommand, type RaftLimits, Replica, type ReplicaLog, type ReplicaOptions } from './replica.ts';
export type {
  ClusterMember,
  ClusterService,
  ClusterView,
  HealthCheck,
  KvService,
  MemberState,
  MemberStatus,
  PeerStatus,
  RangePage,
  ReadOptions,
  RequestOptions,
} from './service.ts';
