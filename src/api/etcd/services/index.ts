import { type EtcdOptions, Headers } from '../etcd-options.ts';
import type { Service } from '../method.ts';
import { authService } from './auth.ts';
import { clusterService } from './cluster.ts';
import { electionService } from './election.ts';
import { healthService } from './health.ts';
import { kvService } from './kv.ts';
import { leaseService } from './lease.ts';
import { lockService } from './lock.ts';
import { maintenanceService } from './maintenance.ts';
import { watchService } from './watch.ts';

/** All that etcd's API can do. */
export function etcdServices(options: EtcdOptions): readonly Service[] {
  const headers = new Headers(options);
  return [
    kvService(options, headers),
    watchService(options, headers),
    leaseService(options, headers),
    clusterService(options, headers),
    maintenanceService(options, headers),
    authService(options, headers),
    lockService(options, headers),
    electionService(options, headers),
    healthService(options),
  ];
}
