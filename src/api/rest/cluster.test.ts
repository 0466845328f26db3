import assert from 'node:assert/strict';
import { after, before, describe, type TestContext, test } from 'node:test';
import type { Alarm, ClusterMember, HealthCheck } from '../../replica/service.ts';
import { open } from '../../server/index.ts';
import { type RunningApi, type RunningApp, startApp, startNode } from './testing/start-api.ts';

describe('a member that works', () => {
  let api: RunningApi;

  before(async () => {
    api = await startNode(open);
  });

  after(() => api.stop());

  test('status: this member, by itself', async () => {
    const status = (await api.client.call('GET /v1/status?timeout=1s')).json();
    assert.match(String(status['memberId']), /^[0-9a-f]+$/);
    assert.equal(status['leader'], status['memberId']);
    assert.equal(status['state'], 'leader');
    assert.deepEqual([status['peers'], status['errors']], [[], []]);
    for (const number of ['raftTerm', 'commitIndex', 'appliedIndex', 'revision', 'uptimeSeconds']) {
      assert.equal(typeof status[number], 'number', number);
    }
  });

  test('cluster: all members, as the leader sees them', async () => {
    const { clusterId, leader, members } = (await api.client.call('GET /v1/cluster')).json();
    assert.match(String(clusterId), /^[0-9a-f]+$/);
    const [only, ...others] = members as Record<string, unknown>[];
    assert.deepEqual(others, []);
    assert.deepEqual(
      [only?.['id'], only?.['role'], only?.['state'], only?.['clientUrls'], only?.['lagEntries']],
      [leader, 'voter', 'leader', [api.url], 0],
    );
  });

  test('health: ok in a word; check by check with ?verbose', async () => {
    for (const path of ['/livez', '/readyz']) {
      const answer = await api.client.call(`GET ${path}`);
      assert.deepEqual([answer.status, answer.text], [200, 'ok\n']);
      const verbose = await api.client.call(`GET ${path}?verbose`);
      assert.match(verbose.text, /^(\[\+\]\w+ ok\n)+(livez|readyz) check passed\n$/);
    }
    assert.deepEqual((await api.client.call('GET /health')).json(), { health: 'true', reason: '' });
    assert.equal((await api.client.call('GET /health?exclude=NOSPACE&serializable=true')).status, 200);
  });

  test('metrics: for Prometheus', async () => {
    const answer = await api.client.call('GET /metrics');
    assert.match(String(answer.headers['content-type']), /^text\/plain; version=0\.0\.4/);
    assert.match(answer.text, /^balsa_is_leader 1$/m);
  });

  test('version: integers only in the parts that clients of etcd read as such', async () => {
    const { etcdserver, etcdcluster, balsa } = (await api.client.call('GET /version')).json();
    for (const version of [etcdserver, etcdcluster]) assert.match(String(version), /^[0-9]+\.[0-9]+\.[0-9]+$/);
    assert.equal(typeof balsa, 'string');
  });

  test('version of the cluster: what each member runs, and what they agreed on', async () => {
    const { memberId, version } = (await api.client.call('GET /v1/status')).json();
    const versions = (await api.client.call('GET /v1/version')).json();
    assert.deepEqual(
      [versions['version'], versions['members'], versions['protocol']],
      [version, [{ id: memberId, name: 'default', version }], { min: 1, max: 2 }],
    );
    assert.match(String(versions['clusterVersion']), /^\d+\.\d+$/);
  });

  test('greeting: the root tells people with curl where to look', async () => {
    const answer = await api.client.call('GET /');
    assert.match(answer.text, new RegExp(`curl -X PUT ${api.url}/v1/kv/hello -d world`));
    assert.match(answer.text, /openapi\.json/);
  });
});

describe('a member that does not', () => {
  const unreachable: ClusterMember = {
    id: 'a',
    name: 'n1',
    role: 'voter',
    state: 'unreachable',
    peerUrls: [],
    clientUrls: [],
    version: '',
    matchIndex: undefined,
    lagEntries: undefined,
    lastContactMs: Number.POSITIVE_INFINITY,
  };
  const checks: readonly HealthCheck[] = [
    { name: 'disk', ok: true, reason: undefined },
    { name: 'leader', ok: false, reason: 'the cluster has no leader' },
  ];
  const start = (t: TestContext): Promise<RunningApp> =>
    startApp(t, {
      readiness: async () => checks,
      liveness: () => checks,
      alarms: () => [],
      cluster: async () => ({ clusterId: 'c', leader: undefined, raftTerm: 3, revision: 7, members: [unreachable] }),
    });

  test('health: 503, with the reason also for who did not ask', async (t) => {
    const api = await start(t);
    for (const name of ['livez', 'readyz']) {
      const answer = await api.client.call(`GET /${name}`);
      assert.equal(answer.status, 503);
      assert.equal(answer.text, `[+]disk ok\n[-]leader failed: the cluster has no leader\n${name} check failed\n`);
    }
    const health = await api.client.call('GET /health');
    assert.equal(health.status, 503);
    assert.deepEqual(health.json(), { health: 'false', reason: 'RAFT NO LEADER' });
  });

  test("health: an alarm is one for etcd's tools, unless they leave it out", async (t) => {
    const api = await startApp(t, {
      readiness: async () => [],
      liveness: () => [],
      alarms: () => [{ kind: 'no_space', memberId: undefined }],
    });
    const health = await api.client.call('GET /health');
    assert.equal(health.status, 503);
    assert.deepEqual(health.json(), { health: 'false', reason: 'ALARM NOSPACE' });
    assert.equal((await api.client.call('GET /health?exclude=NOSPACE')).status, 200);
    assert.equal((await api.client.call('GET /readyz')).status, 200, 'reads and deletions are served');
  });

  test("health: etcd's tools are told one reason, in etcd's words, and an alarm first", async (t) => {
    const failed = (name: string): HealthCheck => ({ name, ok: false, reason: `what is wrong with ${name}` });
    const tables: readonly (readonly [string, readonly HealthCheck[], readonly Alarm[]])[] = [
      ['ALARM CORRUPT', [failed('leader')], [{ kind: 'corrupt', memberId: 'a' }]],
      ['RAFT NO LEADER', [failed('disk'), failed('leader')], []],
      ['RANGE ERROR:disk: what is wrong with disk', [failed('disk'), failed('serving')], []],
    ];
    for (const [reason, checks, alarms] of tables) {
      const api = await startApp(t, { readiness: async () => checks, liveness: () => checks, alarms: () => alarms });
      assert.deepEqual((await api.client.call('GET /health')).json(), { health: 'false', reason });
    }
  });

  test('health: a check can be left out of the verdict', async (t) => {
    const api = await start(t);
    assert.equal((await api.client.call('GET /readyz?exclude=leader')).status, 200);
  });

  test('cluster: what nobody knows is null, and never is not a number', async (t) => {
    const api = await start(t);
    const { leader, members } = (await api.client.call('GET /v1/cluster')).json();
    const [only] = members as Record<string, unknown>[];
    assert.deepEqual(
      [leader, only?.['matchIndex'], only?.['lagEntries'], only?.['lastContactMs']],
      [null, null, null, null],
    );
  });
});
