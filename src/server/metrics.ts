import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { LeaderProgress, MemberStatus, ReplicaMetrics } from '../replica/index.ts';

/** Seconds; from a fast disk's sync to a request that waits for an election. */
const latencyBuckets = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

export interface NodeMetrics {
  readonly replica: ReplicaMetrics;
  /** In Prometheus' text format. */
  render(): Promise<{ readonly contentType: string; readonly body: string }>;
}

/** What is read when somebody asks for the metrics. */
export interface MetricsSources {
  status(): MemberStatus;
  /** `undefined` unless this member leads. */
  progress(): LeaderProgress | undefined;
  bufferedBytes(): number;
}

/** One registry a node, so that several nodes in one process stay apart. */
export function createMetrics(version: string, sources: () => MetricsSources | undefined): NodeMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: 'balsa_build_info',
    help: 'Always 1; the label says which version runs.',
    labelNames: ['version'],
    registers: [registry],
  }).set({ version }, 1);
  registerState(registry, sources);
  return {
    replica: replicaMetrics(registry),
    render: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
  };
}

function replicaMetrics(registry: Registry): ReplicaMetrics {
  const registers = [registry];
  const writes = new Histogram({
    name: 'balsa_write_duration_seconds',
    help: 'Writes sent to this member, from arrival to outcome (done, refused: not executed, unknown).',
    labelNames: ['outcome'],
    buckets: latencyBuckets,
    registers,
  });
  const fsync = new Histogram({
    name: 'balsa_log_fsync_duration_seconds',
    help: 'One synced batch of the Raft log.',
    buckets: latencyBuckets,
    registers,
  });
  const batch = new Histogram({
    name: 'balsa_log_batch_entries',
    help: 'Entries in one synced batch of the Raft log.',
    buckets: [0, 1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500],
    registers,
  });
  const apply = new Histogram({
    name: 'balsa_apply_duration_seconds',
    help: 'Applying the committed entries of one batch.',
    buckets: latencyBuckets,
    registers,
  });
  const applied = new Counter({ name: 'balsa_applied_entries_total', help: 'Entries applied.', registers });
  const readRounds = new Histogram({
    name: 'balsa_read_index_duration_seconds',
    help: 'Confirming with a quorum that linearizable reads may be served.',
    buckets: latencyBuckets,
    registers,
  });
  const reads = new Counter({
    name: 'balsa_linearizable_reads_total',
    help: 'Reads that waited for a confirmed round.',
    registers,
  });
  const leaderChanges = new Counter({
    name: 'balsa_leader_changes_total',
    help: 'Times that the leader this member knows of changed, or was lost.',
    registers,
  });
  const done = writes.labels('done');
  return {
    writeEnded: (outcome, durationMs) =>
      (outcome === 'done' ? done : writes.labels(outcome)).observe(durationMs / 1000),
    persisted: (entries, durationMs) => {
      fsync.observe(durationMs / 1000);
      batch.observe(entries);
    },
    applied: (entries, durationMs) => {
      applied.inc(entries);
      apply.observe(durationMs / 1000);
    },
    readRoundConfirmed: (count, durationMs) => {
      readRounds.observe(durationMs / 1000);
      reads.inc(count);
    },
    leaderChanged: () => leaderChanges.inc(),
  };
}

/** Gauges that are computed when they are asked for. */
function registerState(registry: Registry, sources: () => MetricsSources | undefined): void {
  const gauge = (name: string, help: string, value: (from: MetricsSources) => number): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        const from = sources();
        if (from !== undefined) this.set(value(from));
      },
    });
  };
  gauge('balsa_has_leader', '1 if this member knows a leader.', (from) => (from.status().leader === undefined ? 0 : 1));
  gauge('balsa_is_leader', '1 if this member leads.', (from) => (from.status().state === 'leader' ? 1 : 0));
  gauge('balsa_raft_term', "The Raft group's term.", (from) => from.status().raftTerm);
  gauge('balsa_commit_index', 'The newest log index known to be committed.', (from) => from.status().commitIndex);
  gauge('balsa_applied_index', 'The newest log index applied.', (from) => from.status().appliedIndex);
  gauge('balsa_last_index', "The newest index of this member's log.", (from) => from.status().lastIndex);
  gauge('balsa_revision', "The store's revision.", (from) => from.status().revision);
  gauge('balsa_keys', 'Keys in the store.', (from) => from.status().keyCount);
  gauge('balsa_db_size_bytes', 'Log and store on disk.', (from) => from.status().dbSizeBytes);
  gauge('balsa_unflushed_bytes', 'Applied changes that LevelDB does not hold yet.', (from) => from.bufferedBytes());
  new Gauge({
    name: 'balsa_follower_lag_entries',
    help: 'Entries that the leader has and the member lacks; on the leader only.',
    labelNames: ['member'],
    registers: [registry],
    collect() {
      this.reset();
      const progress = sources()?.progress();
      if (progress === undefined) return;
      for (const [member, { matchIndex }] of progress.members) this.set({ member }, progress.lastIndex - matchIndex);
    },
  });
  new Gauge({
    name: 'balsa_peer_round_trip_seconds',
    help: 'The last measured round trip to a peer.',
    labelNames: ['peer'],
    registers: [registry],
    collect() {
      this.reset();
      for (const { id, roundTripMs } of sources()?.status().peers ?? []) {
        if (roundTripMs !== undefined) this.set({ peer: id }, roundTripMs / 1000);
      }
    },
  });
}
