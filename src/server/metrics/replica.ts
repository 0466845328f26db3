import type { Registry } from 'prom-client';
import type { ReplicaMetrics } from '../../replica/index.ts';
import type { Gauges } from './gauges.ts';
import { HistogramFamily } from './histogram.ts';

/** What a replica tells about its work. */
export function replicaMetrics(registry: Registry, gauges: Gauges): ReplicaMetrics {
  const writes = new HistogramFamily(registry, [
    {
      name: 'balsa_write_duration_seconds',
      help: 'Writes sent to this member, from arrival to outcome (done, refused: not executed, unknown).',
    },
  ]);
  const outcomes = {
    done: writes.child({ outcome: 'done' }),
    refused: writes.child({ outcome: 'refused' }),
    unknown: writes.child({ outcome: 'unknown' }),
  };
  const fsync = new HistogramFamily(registry, [
    { name: 'balsa_log_fsync_duration_seconds', help: 'One synced batch of the Raft log.' },
    { name: 'etcd_disk_wal_fsync_duration_seconds', help: 'As balsa_log_fsync_duration_seconds.' },
  ]).child();
  const flush = new HistogramFamily(registry, [
    { name: 'balsa_store_flush_duration_seconds', help: 'One synced batch of the store.' },
    { name: 'etcd_disk_backend_commit_duration_seconds', help: 'As balsa_store_flush_duration_seconds.' },
  ]).child();
  const batch = new HistogramFamily(
    registry,
    [{ name: 'balsa_log_batch_entries', help: 'Entries in one synced batch of the Raft log.' }],
    [0, 1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500],
  ).child();
  const apply = new HistogramFamily(registry, [
    { name: 'balsa_apply_duration_seconds', help: 'Applying the committed entries of one batch.' },
  ]).child();
  const rounds = new HistogramFamily(registry, [
    {
      name: 'balsa_read_index_duration_seconds',
      help: 'Confirming with a quorum that linearizable reads may be served.',
    },
  ]).child();

  let applied = 0;
  let reads = 0;
  let leaderChanges = 0;
  let failedWrites = 0;
  gauges.counter('balsa_applied_entries_total', 'Entries applied.', () => applied);
  gauges.counter('balsa_linearizable_reads_total', 'Reads that waited for a confirmed round.', () => reads);
  const changes = 'Times that the leader this member knows of changed, or was lost.';
  gauges.counter('balsa_leader_changes_total', changes, () => leaderChanges);
  gauges.counter('etcd_server_leader_changes_seen_total', 'As balsa_leader_changes_total.', () => leaderChanges);
  const failed = 'Writes sent to this member that were refused or whose outcome is unknown.';
  gauges.counter('etcd_server_proposals_failed_total', failed, () => failedWrites);
  return {
    writeEnded: (outcome, durationMs) => {
      outcomes[outcome].observe(durationMs / 1000);
      if (outcome !== 'done') failedWrites++;
    },
    persisted: (entries, durationMs) => {
      fsync.observe(durationMs / 1000);
      batch.observe(entries);
    },
    flushed: (durationMs) => flush.observe(durationMs / 1000),
    applied: (entries, durationMs) => {
      applied += entries;
      apply.observe(durationMs / 1000);
    },
    readRoundConfirmed: (count, durationMs) => {
      rounds.observe(durationMs / 1000);
      reads += count;
    },
    leaderChanged: () => {
      leaderChanges++;
    },
  };
}
