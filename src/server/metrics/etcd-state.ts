import type { MemberStatus } from '../../replica/index.ts';
import type { Gauges, Sample } from './gauges.ts';
import type { StateSources, StoreState } from './state.ts';

/**
 * How this member is, under the names that etcd's dashboards and alerts ask for (etcd 3.6, `contrib/mixin`). A name is here
 * only if it means the same; labels are etcd's.
 */
export function registerEtcdState(
  gauges: Gauges,
  { version, memberId }: { readonly version: string; readonly memberId: string },
  sources: () => StateSources | undefined,
): void {
  const member = (read: (status: MemberStatus) => number) => (): number | undefined => {
    const status = sources()?.status();
    return status === undefined ? undefined : read(status);
  };
  const store = (read: (store: StoreState) => number) => (): number | undefined => {
    const state = sources()?.store();
    return state === undefined ? undefined : read(state);
  };
  const one = (labels: Sample['labels']) => (): readonly Sample[] => [{ labels, value: 1 }];

  gauges.gauges(
    'etcd_server_version',
    'Always 1; the version is that of Balsa.',
    ['server_version'],
    one({ server_version: version }),
  );
  gauges.gauges('etcd_server_id', 'Always 1.', ['server_id'], one({ server_id: memberId }));
  gauges.gauge(
    'etcd_server_has_leader',
    'As balsa_has_leader.',
    member(({ leader }) => (leader === undefined ? 0 : 1)),
  );
  gauges.gauge(
    'etcd_server_is_leader',
    'As balsa_is_leader.',
    member(({ state }) => (state === 'leader' ? 1 : 0)),
  );
  gauges.gauge(
    'etcd_server_is_learner',
    'As balsa_is_learner.',
    member(({ state }) => (state === 'learner' ? 1 : 0)),
  );
  gauges.gauge(
    'etcd_server_proposals_committed_total',
    'As balsa_commit_index.',
    member(({ commitIndex }) => commitIndex),
  );
  gauges.gauge(
    'etcd_server_proposals_applied_total',
    'As balsa_applied_index.',
    member(({ appliedIndex }) => appliedIndex),
  );
  gauges.gauge('etcd_server_proposals_pending', 'As balsa_pending_writes.', () => sources()?.pendingWrites());
  gauges.gauge(
    'etcd_server_quota_backend_bytes',
    'As balsa_quota_bytes.',
    store(({ quotaBytes }) => quotaBytes),
  );
  gauges.gauge(
    'etcd_mvcc_db_total_size_in_bytes',
    'As balsa_db_size_bytes.',
    member(({ dbSizeBytes }) => dbSizeBytes),
  );
  // LevelDB gives back by itself what is free: nothing on disk waits for a defragmentation.
  gauges.gauge(
    'etcd_mvcc_db_total_size_in_use_in_bytes',
    'As balsa_db_size_bytes.',
    member(({ dbSizeBytes }) => dbSizeBytes),
  );
  gauges.gauge(
    'etcd_debugging_mvcc_keys_total',
    'As balsa_keys.',
    member(({ keyCount }) => keyCount),
  );
  gauges.gauge(
    'etcd_debugging_mvcc_current_revision',
    'As balsa_revision.',
    member(({ revision }) => revision),
  );
  gauges.gauge(
    'etcd_debugging_mvcc_compact_revision',
    'As balsa_compact_revision.',
    store((state) => state.compactRevision),
  );
  gauges.gauge(
    'etcd_debugging_mvcc_watcher_total',
    'As balsa_watches.',
    store(({ watches }) => watches),
  );
  gauges.gauge(
    'etcd_debugging_mvcc_slow_watcher_total',
    'As balsa_slow_watches.',
    store(({ slowWatches }) => slowWatches),
  );
}
