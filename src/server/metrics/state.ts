import type { Alarm, LeaderProgress, MemberStatus } from '../../replica/index.ts';
import type { Gauges } from './gauges.ts';

/** What is looked up when somebody asks for the metrics. */
export interface StateSources {
  status(): MemberStatus;
  /** `undefined` unless this member leads. */
  progress(): LeaderProgress | undefined;
  alarms(): readonly Alarm[];
  pendingWrites(): number;
  store(): StoreState;
}

export interface StoreState {
  readonly bufferedBytes: number;
  readonly compactRevision: number;
  readonly usedBytes: number;
  /** 0: no limit. */
  readonly quotaBytes: number;
  readonly openViews: number;
  readonly openExports: number;
  readonly watches: number;
  /** Those that are being caught up. */
  readonly slowWatches: number;
  readonly leases: number;
}

/** How this member is, under Balsa's names. */
export function registerState(gauges: Gauges, sources: () => StateSources | undefined): void {
  const ofMember = (name: string, help: string, read: (status: MemberStatus) => number): void =>
    gauges.gauge(name, help, () => map(sources()?.status(), read));
  const ofStore = (name: string, help: string, read: (store: StoreState) => number): void =>
    gauges.gauge(name, help, () => map(sources()?.store(), read));

  ofMember('balsa_has_leader', '1 if this member knows a leader.', ({ leader }) => (leader === undefined ? 0 : 1));
  ofMember('balsa_is_leader', '1 if this member leads.', ({ state }) => (state === 'leader' ? 1 : 0));
  ofMember('balsa_is_learner', '1 if this member has no vote.', ({ state }) => (state === 'learner' ? 1 : 0));
  ofMember('balsa_raft_term', "The Raft group's term.", ({ raftTerm }) => raftTerm);
  ofMember('balsa_commit_index', 'The newest log index known to be committed.', ({ commitIndex }) => commitIndex);
  ofMember('balsa_applied_index', 'The newest log index applied.', ({ appliedIndex }) => appliedIndex);
  ofMember('balsa_last_index', "The newest index of this member's log.", ({ lastIndex }) => lastIndex);
  ofMember('balsa_revision', "The store's revision.", ({ revision }) => revision);
  ofMember('balsa_keys', 'Keys in the store.', ({ keyCount }) => keyCount);
  ofMember('balsa_db_size_bytes', 'Log and store on disk.', ({ dbSizeBytes }) => dbSizeBytes);
  ofMember('balsa_errors', 'What /v1/status says is wrong right now, in number.', ({ errors }) => errors.length);
  ofStore('balsa_compact_revision', 'The oldest revision that can be read.', (store) => store.compactRevision);
  ofStore('balsa_unflushed_bytes', 'Applied changes that LevelDB does not hold yet.', (store) => store.bufferedBytes);
  ofStore(
    'balsa_used_bytes',
    'Keys, values and their history: what counts against the quota.',
    (store) => store.usedBytes,
  );
  ofStore('balsa_quota_bytes', 'The quota; 0: none.', (store) => store.quotaBytes);
  ofStore('balsa_open_views', 'Lists and streams that are being read.', (store) => store.openViews);
  ofStore(
    'balsa_open_exports',
    'Backups and snapshots for members that are being read; until they are, no space is given back.',
    (store) => store.openExports,
  );
  ofStore('balsa_watches', 'Watches that are open on this member.', (store) => store.watches);
  ofStore('balsa_slow_watches', 'Watches that are being caught up from the history.', (store) => store.slowWatches);
  ofStore('balsa_leases', 'Leases.', (store) => store.leases);
  gauges.gauge('balsa_pending_writes', 'Writes under way on this member.', () => sources()?.pendingWrites());
  gauges.gauges('balsa_alarm', '1 for each alarm that is on.', ['alarm'], () => {
    const kinds = new Set(
      sources()
        ?.alarms()
        .map(({ kind }) => kind),
    );
    return [...kinds].map((alarm) => ({ labels: { alarm }, value: 1 }));
  });
  const lag = 'Entries that the leader has and the member lacks; on the leader only.';
  gauges.gauges('balsa_follower_lag_entries', lag, ['member'], () => {
    const progress = sources()?.progress();
    return [...(progress?.members ?? [])].map(([member, { matchIndex }]) => ({
      labels: { member },
      value: (progress?.lastIndex ?? matchIndex) - matchIndex,
    }));
  });
  gauges.gauges('balsa_peer_connected', '1 if this member is connected to the peer.', ['peer'], () =>
    (sources()?.status().peers ?? []).map(({ id, state }) => ({
      labels: { peer: id },
      value: state === 'connected' ? 1 : 0,
    })),
  );
  gauges.gauges('balsa_peer_round_trip_seconds', 'The last measured round trip to a peer.', ['peer'], () =>
    (sources()?.status().peers ?? []).flatMap(({ id, roundTripMs }) =>
      roundTripMs === undefined ? [] : [{ labels: { peer: id }, value: roundTripMs / 1000 }],
    ),
  );
}

function map<From, To>(value: From | undefined, read: (value: From) => To): To | undefined {
  return value === undefined ? undefined : read(value);
}
