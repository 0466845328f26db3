import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ConfigError } from './config.ts';
import { loadConfig } from './load-config.ts';

const directory = mkdtempSync(join(tmpdir(), 'balsa-config-'));
after(() => rmSync(directory, { recursive: true }));

function file(content: string): string {
  const path = join(directory, 'balsa.yaml');
  writeFileSync(path, content);
  return path;
}

function load(flags: Record<string, string>, environment: Record<string, string> = {}): ReturnType<typeof loadConfig> {
  return loadConfig({ flags, environment });
}

function refuses(line: RegExp, flags: Record<string, string>, environment: Record<string, string> = {}): void {
  assert.throws(
    () => load(flags, environment),
    (reason) => {
      assert.ok(reason instanceof ConfigError);
      assert.match(reason.message, line);
      assert.ok(!reason.message.includes('\n'), 'one line');
      return true;
    },
  );
}

test('sources: flag, BALSA variable, ETCD variable, file, default: the first that has it decides', () => {
  const path = file('name: of-file\nlog-level: error\ninitial-cluster-token: of-file\nheartbeat-interval: 50');
  const { config } = load(
    { 'config-file': path, name: 'of-flag' },
    {
      BALSA_NAME: 'of-balsa',
      ETCD_NAME: 'of-etcd',
      ETCD_LOG_LEVEL: 'debug',
      BALSA_LOG_LEVEL: 'warn',
      ETCD_INITIAL_CLUSTER_TOKEN: 'of-etcd',
    },
  );
  assert.equal(config.name, 'of-flag');
  assert.equal(config.logLevel, 'warn');
  assert.equal(config.initialClusterToken, 'of-etcd');
  assert.equal(config.heartbeatIntervalMs, 50);
  assert.equal(config.electionTimeoutMs, 1000);
});

test('sources: an empty variable is one that is not set', () => {
  assert.equal(load({}, { BALSA_NAME: '', ETCD_NAME: 'a' }).config.name, 'a');
});

test('sources: an error names the place its value came from', () => {
  refuses(/^--heartbeat-interval: must be/, { 'heartbeat-interval': 'x' });
  refuses(/^BALSA_HEARTBEAT_INTERVAL: must be/, {}, { BALSA_HEARTBEAT_INTERVAL: 'x' });
  refuses(/^ETCD_HEARTBEAT_INTERVAL: must be/, {}, { ETCD_HEARTBEAT_INTERVAL: 'x' });
  refuses(/^heartbeat-interval in \S+balsa\.yaml: must be/, { 'config-file': file('heartbeat-interval: x') });
});

test('flags: one that does not exist is refused with the one that was probably meant', () => {
  refuses(/^--lisen-client-urls: there is no such flag; did you mean --listen-client-urls\?$/, {
    'lisen-client-urls': 'x',
  });
  refuses(/^--verbose: there is no such flag; see balsa serve --help$/, { verbose: 'true' });
});

test('environment: what names no option is told once and ignored', () => {
  const { warnings } = load(
    {},
    { BALSA_NMAE: 'x', ETCD_VERSION: '3', BALSA_ENDPOINTS: 'http://a:1', HOME: '/', ETCDCTL_API: '3' },
  );
  assert.deepEqual(warnings, [
    'environment variables that name no option are ignored: BALSA_NMAE (did you mean BALSA_NAME?), ETCD_VERSION',
  ]);
});

test('etcd: options without effect here are accepted, and told in one line', () => {
  const { warnings } = load({ 'wal-dir': 'wal', 'pre-vote': 'true' }, { ETCD_MAX_WALS: '0' });
  assert.deepEqual(warnings, [
    'options of etcd that have no effect here: --wal-dir, --pre-vote, ETCD_MAX_WALS; they can be removed',
  ]);
});

test('etcd: options that close a door are refused, unless they say that it may stay open', () => {
  refuses(/^--cert-file: TLS is not supported, and starting without it would leave open what was to be closed/, {
    'cert-file': 'a.pem',
  });
  refuses(/^ETCD_CLIENT_CERT_AUTH: TLS is not supported/, {}, { ETCD_CLIENT_CERT_AUTH: 'true' });
  refuses(/^client-transport-security in .*: TLS is not supported/, {
    'config-file': file('client-transport-security:\n  cert-file: a.pem'),
  });
  refuses(/^--discovery: there is no discovery; list the members with --initial-cluster$/, {
    discovery: 'https://discovery.etcd.io/x',
  });
  assert.deepEqual(load({ 'client-cert-auth': 'false', 'cert-file': '' }).warnings, []);
});

test("etcd: the sections, lists and switches of etcd's sample file that say nothing are accepted", () => {
  const section = '\n  cert-file:\n  key-file:\n  client-cert-auth: false\n  trusted-ca-file:\n  auto-tls: false\n';
  const sample = [
    'data-dir:',
    'discovery:',
    "discovery-fallback: 'proxy'",
    'discovery-srv:',
    "proxy: 'off'",
    'proxy-failure-wait: 5000',
    `client-transport-security:${section}`,
    `peer-transport-security:${section}`,
    'log-outputs: [stderr]',
    'force-new-cluster: false',
    'cipher-suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]',
  ].join('\n');
  assert.deepEqual(load({ 'config-file': file(sample) }).warnings.length, 1);
  refuses(/^proxy in .*: there is no proxy mode/, { 'config-file': file(sample.replace("'off'", "'on'")) });
  refuses(/^peer-transport-security in .*: TLS is not supported/, {
    'config-file': file(sample.replace(/auto-tls: false(?![\s\S]*auto-tls)/, 'auto-tls: true')),
  });
  refuses(/^client-transport-security in .*: TLS is not supported/, {
    'config-file': file('client-transport-security: &itself\n  cert-file: *itself'),
  });
});

test('etcd: options that began with experimental- are those without it', () => {
  const { config, warnings } = load({ 'experimental-watch-progress-notify-interval': '5s' });
  assert.equal(config.watchProgressNotifyMs, 5000);
  assert.deepEqual(warnings, []);
  refuses(/^--watch-progress-notify-interval: must be a time such as 90s, 5m or 1h30m, at least 100ms, not "99ms"$/, {
    'watch-progress-notify-interval': '99ms',
  });
});

test('file: YAML with lists and maps, and JSON', () => {
  const yaml = file(
    'name: a\nlisten-client-urls: [http://localhost:1, http://127.0.0.1:2]\ninitial-cluster:\n  a: http://a:1\n  b: [http://b:1, http://b:2]\n  c: http://c:1\nlog-level:',
  );
  const { config } = load({ 'config-file': yaml });
  assert.deepEqual(config.listenClientUrls, ['http://localhost:1', 'http://127.0.0.1:2']);
  assert.deepEqual(config.initialCluster[1], { name: 'b', peerUrls: ['http://b:1', 'http://b:2'] });
  assert.equal(config.logLevel, 'info');

  const json = load({}, { ETCD_CONFIG_FILE: file('{"name": 1, "election-timeout": 2000}') });
  assert.equal(json.config.name, '1');
  assert.equal(json.config.electionTimeoutMs, 2000);
});

test('file: what cannot be read as options is refused with its place', () => {
  refuses(/^--config-file: cannot read \/nonexistent\/balsa\.yaml \(ENOENT\); check the path/, {
    'config-file': '/nonexistent/balsa.yaml',
  });
  refuses(/^nmae in \S+: there is no such option; did you mean name\?$/, { 'config-file': file('nmae: x') });
  refuses(/^\S+balsa\.yaml, line 2: not valid YAML or JSON: /, { 'config-file': file('name: a\nlog-level: [') });
  refuses(/line 2: not valid YAML or JSON: Map keys must be unique/, { 'config-file': file('name: a\nname: b') });
  refuses(/balsa\.yaml: must hold options as "key: value" lines/, { 'config-file': file('- name') });
  refuses(/^listen-client-urls in .*: must be one or more URLs/, { 'config-file': file('listen-client-urls: {a: 1}') });
  refuses(/^initial-cluster in .*: must be name=URL pairs/, { 'config-file': file('initial-cluster: {a: 1}') });
  refuses(/^log-level in .*: must be one of/, { 'config-file': file('log-level: [info]') });
});

test('file: what is nested too deeply for the parser, or is very long, is refused before it', () => {
  for (const part of ['[', '{a: ', '- ', '? ', ': ', '{"a":[']) {
    refuses(/balsa\.yaml: is nested deeper than 50 levels; write options as/, {
      'config-file': file(part.repeat(5000)),
    });
  }
  refuses(/balsa\.yaml: has 70000 characters; 32768 are allowed/, { 'config-file': file('#'.repeat(70_000)) });
  const members = Array.from({ length: 99 }, (_, i): [string, string] => [`n${i}`, `http://h${i}:1`]);
  const wide = JSON.stringify({ name: 'n0', 'initial-cluster': Object.fromEntries(members) }).replaceAll('":"', '": "');
  assert.equal(load({ 'config-file': file(wide) }).config.initialCluster.length, 99);
});

test('advice: what works and is probably not meant', () => {
  const advice = (flags: Record<string, string>): string => load(flags).warnings.join('\n');
  assert.match(
    advice({ 'listen-client-urls': 'http://0.0.0.0:1' }),
    /^clients on other machines are told http:\/\/localhost:1, which is not this machine there/,
  );
  assert.equal(advice({ 'listen-client-urls': 'http://0.0.0.0:1', 'advertise-client-urls': 'http://localhost:1' }), '');
  assert.match(
    advice({ 'advertise-client-urls': 'http://0.0.0.0:1' }),
    /^clients are told http:\/\/0\.0\.0\.0:1, which no other machine can reach/,
  );
  assert.match(
    advice({ name: 'a', 'initial-cluster': 'a=http://a:1,b=http://b:1' }),
    /^a cluster of 2 members survives the loss of 0/,
  );
  assert.match(advice({ 'max-request-bytes': '20000000' }), /^max-request-bytes is above 10 MiB/);
});

const examples = fileURLToPath(new URL('../../config/', import.meta.url));

for (const name of readdirSync(examples)) {
  test(`examples: config/${name} loads without a warning`, () => {
    assert.deepEqual(load({ 'config-file': join(examples, name) }).warnings, []);
  });
}

test('examples: the three members of the container cluster found the same cluster', () => {
  const members = [1, 2, 3].map((i) => load({ 'config-file': join(examples, `node${i}.yaml`) }).config);
  for (const { name, initialCluster, initialClusterToken, electionTimeoutMs } of members) {
    assert.ok(initialCluster.some((member) => member.name === name));
    assert.deepEqual(initialCluster, members[0]?.initialCluster);
    assert.equal(initialClusterToken, members[0]?.initialClusterToken);
    assert.equal(electionTimeoutMs, members[0]?.electionTimeoutMs);
  }
  assert.deepEqual(
    members.map((member) => member.advertiseClientUrls[0]),
    ['http://localhost:2379', 'http://localhost:22379', 'http://localhost:32379'],
  );
});
