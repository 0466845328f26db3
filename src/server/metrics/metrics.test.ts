import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { parse } from 'yaml';
import { Gauges } from './gauges.ts';
import { HistogramFamily } from './histogram.ts';
import { createMetrics } from './index.ts';

const identity = { version: '1.2.3', memberId: 'a1' };

/** What somebody who asks gets to see of one metric. */
async function shown(registry: Registry, name: string): Promise<string[]> {
  const text = await registry.metrics();
  return text.split('\n').filter((line) => line.startsWith(name));
}

test('metrics: a histogram counts each observation in every bucket that it fits, and shows it under all its names', async () => {
  const registry = new Registry();
  const names = ['one', 'other'].map((name) => ({ name, help: 'How long.' }));
  const child = new HistogramFamily(registry, names, [0.5, 1]).child({ kind: 'x' });
  for (const value of [0.1, 0.5, 0.7, 30]) child.observe(value);
  assert.deepEqual(await shown(registry, 'one'), [
    'one_bucket{le="0.5",kind="x"} 2',
    'one_bucket{le="1",kind="x"} 3',
    'one_bucket{le="+Inf",kind="x"} 4',
    'one_sum{kind="x"} 31.3',
    'one_count{kind="x"} 4',
  ]);
  assert.equal((await shown(registry, 'other_count'))[0], 'other_count{kind="x"} 4');
});

test('metrics: what is not known is not shown as 0', async () => {
  const registry = new Registry();
  let value: number | undefined;
  const gauges = new Gauges(registry);
  gauges.gauge('age', 'How old.', () => value);
  gauges.counter('times_total', 'How often.', () => value);
  assert.deepEqual(await shown(registry, 'age'), []);
  value = 7;
  assert.deepEqual(await shown(registry, 'age'), ['age 7']);
  assert.deepEqual(await shown(registry, 'times_total'), ['times_total 7']);
  value = undefined;
  assert.deepEqual(await shown(registry, 'times_total'), []);
});

/** Names without what Prometheus adds for histograms, with their types. */
async function exported(): Promise<ReadonlyMap<string, string>> {
  const { body } = await createMetrics(identity, () => undefined).render();
  return new Map([...body.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type = '']) => [name, type]));
}

/** Fails for each name that a text asks for and nobody exports. */
async function checkNames(text: string): Promise<number> {
  const types = await exported();
  const named = new Set(text.match(/\b(balsa|etcd|process|nodejs|grpc)_[a-z0-9_]+/g));
  for (const name of named) {
    const family = name.replace(/_(bucket|sum|count)$/, '');
    const isThere = types.has(name) || types.get(family) === 'histogram';
    assert.ok(isThere, `${name} is asked for and not exported`);
  }
  return named.size;
}

function deployed(path: string): string {
  return readFileSync(new URL(`../../../deploy/${path}`, import.meta.url), 'utf8');
}

test('metrics: the dashboard asks only for what there is', async () => {
  const dashboard = JSON.parse(deployed('grafana/balsa.json')) as {
    panels: { id: number; type: string; targets?: { expr: string }[] }[];
  };
  const expressions = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  assert.ok((await checkNames(expressions.join('\n'))) > 25);
  assert.equal(new Set(dashboard.panels.map(({ id }) => id)).size, dashboard.panels.length);
});

test('metrics: the alerts ask only for what there is, and each says what to do', async () => {
  const { groups } = parse(deployed('prometheus/alerts.yaml')) as {
    groups: { rules: { alert: string; expr: string; annotations: { summary: string; description: string } }[] }[];
  };
  const rules = groups.flatMap((group) => group.rules);
  assert.ok((await checkNames(rules.map(({ expr }) => expr).join('\n'))) > 10);
  for (const { alert, annotations } of rules) {
    assert.ok(annotations.summary.length > 0 && annotations.description.length > 0, alert);
  }
});

/** Of the dashboards and alerts in etcd's `contrib/mixin` and `grafana.json`; those of gRPC come with its API. */
const askedByEtcdDashboards = [
  'etcd_server_has_leader',
  'etcd_server_leader_changes_seen_total',
  'etcd_server_proposals_committed_total',
  'etcd_server_proposals_applied_total',
  'etcd_server_proposals_pending',
  'etcd_server_proposals_failed_total',
  'etcd_server_quota_backend_bytes',
  'etcd_disk_wal_fsync_duration_seconds',
  'etcd_disk_backend_commit_duration_seconds',
  'etcd_mvcc_db_total_size_in_bytes',
  'etcd_mvcc_db_total_size_in_use_in_bytes',
  'etcd_network_peer_sent_bytes_total',
  'etcd_network_peer_received_bytes_total',
  'etcd_network_peer_round_trip_time_seconds',
  'etcd_network_peer_sent_failures_total',
  'process_resident_memory_bytes',
];

test("metrics: what etcd's dashboards and alerts ask for is there", async () => {
  const types = await exported();
  assert.deepEqual(
    askedByEtcdDashboards.filter((name) => !types.has(name)),
    [],
  );
});
