import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { seededRandom } from '../base/random.ts';
import { autoCompactionOf, type Config, ConfigError, resolveConfig } from './config.ts';

test('config: nothing given is a cluster of one on localhost', () => {
  assert.deepEqual(resolveConfig({}), {
    name: 'default',
    dataDir: resolve('balsa-data'),
    listenClientUrls: ['http://localhost:2379'],
    advertiseClientUrls: ['http://localhost:2379'],
    listenPeerUrls: ['http://localhost:2380'],
    initialAdvertisePeerUrls: ['http://localhost:2380'],
    initialCluster: [{ name: 'default', peerUrls: ['http://localhost:2380'] }],
    initialClusterState: 'new',
    join: [],
    initialClusterToken: 'balsa-cluster',
    heartbeatIntervalMs: 100,
    electionTimeoutMs: 1000,
    maxRequestBytes: 1_572_864,
    quotaBackendBytes: 0,
    autoCompactionMode: 'periodic',
    autoCompactionRetention: '0',
    leadership: 'normal',
    snapshotCount: 10_000,
    corruptCheckTimeMs: 60_000,
    watchProgressNotifyMs: 600_000,
    logLevel: 'info',
    logFormat: 'auto',
  });
});

test('config: members with names of their own have data directories of their own', () => {
  assert.equal(resolveConfig({ name: 'node1' }).dataDir, resolve('balsa-data-node1'));
  assert.equal(resolveConfig({ name: 'node1', dataDir: '/var/lib/balsa' }).dataDir, '/var/lib/balsa');
});

test('config: what automatic compaction keeps is a time or a number of revisions, as its mode says', () => {
  const keeps = (autoCompactionRetention: string, autoCompactionMode: 'periodic' | 'revision' = 'periodic') =>
    autoCompactionOf(resolveConfig({ autoCompactionRetention, autoCompactionMode }));
  assert.deepEqual(keeps('0'), { mode: 'off' });
  assert.deepEqual(keeps('10'), { mode: 'periodic', retentionMs: 36_000_000 });
  assert.deepEqual(keeps('1h30m'), { mode: 'periodic', retentionMs: 5_400_000 });
  assert.deepEqual(keeps('1000', 'revision'), { mode: 'revision', retention: 1000 });
  assert.throws(
    () => keeps('soon'),
    /autoCompactionRetention: "soon" is not a time such as 10h or 30m, which .* periodic/,
  );
  assert.throws(() => keeps('10h', 'revision'), /"10h" is not a number of revisions/);
  assert.throws(
    () => resolveConfig({ corruptCheckTimeMs: -1 }),
    /must be a time such as 90s, 5m or 1h30m, or 0, not -1/,
  );
});

test('config: two wildcard addresses are advertised as one, and what was resolved can be resolved again', () => {
  const config = resolveConfig({
    listenClientUrls: ['http://0.0.0.0:2379', 'http://[::]:2379'],
    listenPeerUrls: ['http://0.0.0.0:2380', 'http://localhost:2380'],
  });
  assert.deepEqual(config.advertiseClientUrls, ['http://localhost:2379']);
  assert.deepEqual(config.initialCluster, [{ name: 'default', peerUrls: ['http://localhost:2380'] }]);
  assert.deepEqual(resolveConfig(config), config);
});

test('config: what is advertised follows from where it listens, and a wildcard address becomes localhost', () => {
  const config = resolveConfig({
    listenClientUrls: ['http://0.0.0.0:4001', 'http://[::]:4002'],
    listenPeerUrls: ['http://10.0.0.1:1'],
  });
  assert.deepEqual(config.advertiseClientUrls, ['http://localhost:4001', 'http://localhost:4002']);
  assert.deepEqual(config.initialAdvertisePeerUrls, ['http://10.0.0.1:1']);
  assert.deepEqual(config.initialCluster, [{ name: 'default', peerUrls: ['http://10.0.0.1:1'] }]);
});

test('config: a member finds its peer URLs in initial-cluster, which is sorted by name', () => {
  const initialCluster = [
    { name: 'b', peerUrls: ['http://hostb:2380'] },
    { name: 'a', peerUrls: ['http://HOSTA:2380/', 'http://10.0.0.1:2380'] },
  ];
  const config = resolveConfig({ name: 'a', initialCluster });
  assert.deepEqual(config.initialAdvertisePeerUrls, ['http://hosta:2380', 'http://10.0.0.1:2380']);
  assert.deepEqual(
    config.initialCluster.map(({ name }) => name),
    ['a', 'b'],
  );
});

test('config: resolving what is resolved changes nothing', () => {
  const config = resolveConfig({
    listenClientUrls: ['http://127.0.0.1:0'],
    listenPeerUrls: ['http://127.0.0.1:0'],
    dataDir: 'x',
  });
  assert.deepEqual(resolveConfig(config), config);
});

/** What is given, and the one line that refuses it. */
const refusals: readonly [name: string, given: Record<string, unknown>, line: RegExp][] = [
  ['an unknown setting', { nmae: 'x' }, /^config\.nmae: there is no such setting; remove it$/],
  ['a name without letters', { name: '' }, /^config\.name: must be the name of this member, not empty$/],
  [
    'a name that cannot stand in initial-cluster',
    { name: 'a=b' },
    /^config\.name: the member name "a=b" has a space or one of = , \/ \\ in it/,
  ],
  ['a name that leaves its directory', { name: '..' }, /^config\.name: the member name "\.\."/],
  ['a name that is very long', { name: 'n'.repeat(129) }, /^config\.name: a member name has 1 to 128 characters$/],
  ['an empty data directory', { dataDir: ' ' }, /^config\.dataDir: must be the path of a directory, not " "$/],
  ['a data directory with a NUL byte', { dataDir: 'a\0b' }, /^config\.dataDir: must not contain a NUL byte$/],
  [
    'no URL',
    { listenClientUrls: [] },
    /^config\.listenClientUrls: must be one or more URLs such as http:\/\/localhost:2379, .* not \[\]$/,
  ],
  [
    'a URL without scheme',
    { listenClientUrls: 'localhost:2379' },
    /"localhost:2379" is not a URL; write it as http:\/\/127\.0\.0\.1:2379$/,
  ],
  ['TLS', { listenClientUrls: ['https://localhost:2379'] }, /asks for TLS, which is not supported; use http:\/\//],
  ['a Unix socket', { listenClientUrls: ['unix://tmp/socket:1'] }, /has the scheme unix; only http is supported/],
  [
    'a URL with a user',
    { listenClientUrls: ['http://me:secret@localhost:1'] },
    /holds a user name, which has no meaning here/,
  ],
  [
    'a URL with a path',
    { listenClientUrls: ['http://localhost:2379/v1'] },
    /has a path or query; write only the host and port/,
  ],
  ['a URL with a query', { listenClientUrls: ['http://localhost:2379?a'] }, /has a path or query/],
  ['a URL without port', { listenClientUrls: ['http://localhost'] }, /"http:\/\/localhost" needs a host and a port/],
  ['a URL without host', { listenClientUrls: ['http://:2379'] }, /needs a host and a port/],
  [
    'a port that is too high',
    { listenClientUrls: ['http://localhost:65536'] },
    /has the port 65536; ports end at 65535$/,
  ],
  ['a host that is none', { advertiseClientUrls: ['http://a b:1'] }, /has a host that is not valid/],
  [
    'a host name to listen on',
    { listenPeerUrls: ['http://node1:2380'] },
    /is to be listened on, which needs an IP address or localhost/,
  ],
  [
    'a URL twice',
    { listenClientUrls: ['http://LOCALHOST:1', 'http://localhost:1/'] },
    /http:\/\/localhost:1 is listed twice; give it once$/,
  ],
  [
    'clients and members on one port',
    { listenPeerUrls: ['http://localhost:2379'] },
    /^config\.listenPeerUrls: http:\/\/localhost:2379 is in listen-client-urls too/,
  ],
  [
    'port 0 to connect to',
    { advertiseClientUrls: ['http://localhost:0'] },
    /^config\.advertiseClientUrls: http:\/\/localhost:0 has port 0, which nobody can connect to/,
  ],
  [
    'a cluster without members',
    { initialCluster: [] },
    /^config\.initialCluster: must be name=URL pairs such as a=http/,
  ],
  ['a cluster that is no list', { initialCluster: 'http://a:1' }, /^config\.initialCluster: must be name=URL pairs/],
  [
    'a cluster without this member',
    { initialCluster: 'a=http://a:1,b=http://b:1' },
    /^config\.initialCluster: has no member named "default", only "a", "b"; add default=http:\/\/localhost:2380, or set --name to one of them$/,
  ],
  [
    'a cluster with a bad URL',
    { name: 'a', initialCluster: 'a=http://a' },
    /^config\.initialCluster: member "a": "http:\/\/a" needs a host and a port/,
  ],
  [
    'two members with one URL',
    { name: 'a', initialCluster: 'a=http://h:1,b=http://h:1' },
    /http:\/\/h:1: members "a" and "b" have the same URL/,
  ],
  [
    'a member with one URL twice',
    { name: 'a', initialCluster: 'a=http://h:1,a=http://h:1' },
    /http:\/\/h:1: member "a" lists it twice/,
  ],
  [
    'two truths about the own peer URL',
    { name: 'a', initialCluster: 'a=http://h:1', initialAdvertisePeerUrls: ['http://g:1'] },
    /^config\.initialCluster: says a=http:\/\/h:1, but initial-advertise-peer-urls is http:\/\/g:1 \(config\.initialAdvertisePeerUrls\)/,
  ],
  [
    'a member that others cannot reach',
    { name: 'a', initialCluster: 'a=http://0.0.0.0:1,b=http://b:1,c=http://c:1' },
    /a=http:\/\/0\.0\.0\.0:1 is not an address that other members can connect to/,
  ],
  [
    'an unknown cluster state',
    { initialClusterState: 'old' },
    /^config\.initialClusterState: must be one of new, existing, not "old"$/,
  ],
  ['an empty token', { initialClusterToken: '' }, /^config\.initialClusterToken: must be a text, not empty$/],
  [
    'no heartbeat',
    { heartbeatIntervalMs: 0 },
    /^config\.heartbeatIntervalMs: must be a whole number of milliseconds from 1 to 10000, not 0$/,
  ],
  ['a negative heartbeat', { heartbeatIntervalMs: '-5' }, /from 1 to 10000, not "-5"$/],
  ['half a millisecond', { heartbeatIntervalMs: 0.5 }, /not 0\.5$/],
  ['a heartbeat in words', { heartbeatIntervalMs: '100ms' }, /not "100ms"$/],
  [
    'an election timeout of few heartbeats',
    { electionTimeoutMs: 499 },
    /^config\.electionTimeoutMs: 499 ms is less than 5 heartbeats of 100 ms, .* use at least 500/,
  ],
  [
    'a heartbeat that is slow for the default timeout',
    { heartbeatIntervalMs: 300 },
    /^election-timeout \(default\): 1000 ms is less than 5 heartbeats of 300 ms/,
  ],
  ['an election timeout of minutes', { electionTimeoutMs: 50_001 }, /from 5 to 50000, not 50001$/],
  [
    'values of no size',
    { maxRequestBytes: 0 },
    /^config\.maxRequestBytes: must be a whole number of bytes from 1 to 67108864, not 0$/,
  ],
  ['values of a negative size', { maxRequestBytes: -1 }, /not -1$/],
  [
    'an unknown log level',
    { logLevel: 'loud' },
    /^config\.logLevel: must be one of debug, info, warn, error, panic, fatal, not "loud"$/,
  ],
  ['an unknown log format', { logFormat: 'xml' }, /^config\.logFormat: must be one of auto, json, pretty, not "xml"$/],
];

for (const [name, given, line] of refusals) {
  test(`config: refused: ${name}`, () => {
    assert.throws(
      () => resolveConfig(given as Partial<Config>),
      (reason) => {
        assert.ok(reason instanceof ConfigError);
        assert.match(reason.message, line);
        assert.ok(!reason.message.includes('\n'), 'one line');
        return true;
      },
    );
  });
}

test('config: whatever is given is either a configuration or refused in one line', () => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  const random = seededRandom(seed);
  const pick = <T>(from: readonly T[]): T => from[random.below(from.length)] as T;
  const pieces = [
    'http://',
    'https:',
    'localhost',
    '[::1]',
    '[',
    ']',
    ':',
    '2379',
    '0',
    '-1',
    '=',
    ',',
    'a',
    '/',
    '?',
    '@',
    '\n',
    '\0',
    'é',
    '%',
    ' ',
  ];
  const text = (): string => Array.from({ length: random.below(8) }, () => pick(pieces)).join('');
  const scalars = [
    null,
    true,
    false,
    0,
    -1,
    1.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    1e300,
    {},
    [],
    [[]],
    new Date(0),
    1n,
  ];
  const value = (): unknown =>
    pick([text, () => pick(scalars), () => [text(), text()], () => ({ [text()]: text() })])();
  for (let round = 0; round < 3000; round++) {
    const given = { [pick(Object.keys(resolveConfig({})))]: value(), [pick(Object.keys(resolveConfig({})))]: value() };
    try {
      const config = resolveConfig(given as Partial<Config>);
      assert.deepEqual(resolveConfig(config), config, `seed ${seed}`);
    } catch (reason) {
      assert.ok(reason instanceof ConfigError, `seed ${seed}, round ${round}: ${String(reason)}`);
      assert.doesNotMatch(reason.message, /\p{Cc}/u, `seed ${seed}, round ${round}`);
    }
  }
});
