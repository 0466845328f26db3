import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { balsaPath, RunningProgram } from './support/balsa.ts';
import { eventually, freePorts } from './support/processes.ts';

// Whoever starts `etcd` by its name, as a supervisor, a test suite or a container does, gets Balsa by the wrapper of the manual.

const manual = readFileSync(fileURLToPath(new URL('../docs/etcd-compatibility.md', import.meta.url)), 'utf8');
const scratch = mkdtempSync(join(tmpdir(), 'balsa-etcd-binary-'));
const programs = join(scratch, 'bin');
const started: Etcd[] = [];

mkdirSync(programs);
symlinkSync(balsaPath, join(programs, 'balsa'));
writeFileSync(join(programs, 'etcd'), wrapperIn(manual));
chmodSync(join(programs, 'etcd'), 0o755);

after(() => {
  for (const { child } of started) child.kill('SIGKILL');
  rmSync(scratch, { recursive: true, force: true });
});

/** What users of etcd wait for in its log. */
const isReady = /ready to serve client requests/;

class Etcd extends RunningProgram {
  /** In a directory of its own, which it keeps over restarts: there is its data, unless a flag says otherwise. */
  constructor(directory: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
    const cwd = join(scratch, directory);
    mkdirSync(cwd, { recursive: true });
    const path = `${programs}${delimiter}${process.env['PATH']}`;
    super('etcd', args, { cwd, env: { ...process.env, PATH: path, ...environment } });
    started.push(this);
  }

  /** The exit code. */
  async stop(signal: 'SIGTERM' | 'SIGINT'): Promise<number | null> {
    this.child.kill(signal);
    return (await this.ended()).code;
  }
}

const anyPort = 'http://127.0.0.1:0';

describe('etcd, behind the wrapper of the manual', { concurrency: true }, () => {
  test('the wrapper has two lines', () => {
    assert.equal(wrapperIn(manual).trimEnd().split('\n').length, 2);
  });

  test('a cluster of three as in its clustering guide, stopped by signals, and started again with other flags', async () => {
    const ports = await freePorts(6);
    const members = [0, 1, 2].map((i) => ({
      name: `infra${i}`,
      client: `http://127.0.0.1:${ports[2 * i]}`,
      peer: `http://127.0.0.1:${ports[2 * i + 1]}`,
    }));
    const cluster = members.map(({ name, peer }) => `${name}=${peer}`).join(',');
    // biome-ignore format: as it stands in the guide
    const guide = members.map(({ name, client, peer }) => [
    '--name', name, '--initial-advertise-peer-urls', peer,
    '--listen-peer-urls', peer,
    '--listen-client-urls', client,
    '--advertise-client-urls', client,
    '--initial-cluster-token', 'etcd-cluster-1',
    '--initial-cluster', cluster,
    '--initial-cluster-state', 'new',
  ]);
    const running = members.map(({ name }, i) => new Etcd(name, guide[i] ?? []));
    await Promise.all(running.map((etcd) => etcd.said(isReady)));
    const [first, second, third] = members.map(({ client }) => client);
    await put(first, 'k', 'v');
    assert.equal(await get(second, 'k'), 'v');
    const listed = (await post(third, 'cluster/member/list', {})) as {
      members: { name: string; peerURLs: string[] }[];
    };
    assert.deepEqual(
      listed.members.map(({ name, peerURLs }) => `${name}=${peerURLs}`).sort(),
      members.map(({ name, peer }) => `${name}=${peer}`),
    );

    assert.equal(await running[0]?.stop('SIGTERM'), 0);
    await eventually('the others go on', 10_000, async () => {
      await put(second, 'k', 'w');
      return true;
    });
    assert.equal(await running[1]?.stop('SIGINT'), 0);
    assert.equal(await running[2]?.stop('SIGTERM'), 0);

    // What a cluster was begun with means nothing to a member that has data.
    const again = members.map(({ name, peer }, i) => {
      const alone = ['--initial-cluster', `${name}=${peer}`, '--initial-cluster-state=existing'];
      return new Etcd(name, [...(guide[i] ?? []), ...alone, '--strict-reconfig-check=true', '--max-wals=5']);
    });
    await Promise.all(again.map((etcd) => etcd.said(isReady)));
    assert.equal(await get(first, 'k'), 'w');
    assert.deepEqual(await Promise.all(again.map((etcd) => etcd.stop('SIGTERM'))), [0, 0, 0]);
  });

  test('flags with one dash and with two, with the value behind a space and behind =, and switches', async () => {
    const etcd = new Etcd('dashes', [
      ...['-name', 'x', '-data-dir=x.etcd', '--listen-client-urls', anyPort, `-listen-peer-urls=${anyPort}`],
      ...[
        '-pre-vote',
        '--strict-reconfig-check=false',
        '--enable-pprof=true',
        '--logger=zap',
        '-heartbeat-interval',
        '50',
      ],
      ...['--experimental-watch-progress-notify-interval=5s', '--log-outputs=stderr', '-auto-compaction-retention=1'],
    ]);
    await checkMember(etcd, 'x');
  });

  test('all that it is told by ETCD_ variables', async () => {
    const etcd = new Etcd('variables', [], {
      ETCD_NAME: 'of-variables',
      ETCD_DATA_DIR: 'data',
      ETCD_LISTEN_CLIENT_URLS: anyPort,
      ETCD_LISTEN_PEER_URLS: anyPort,
      ETCD_INITIAL_CLUSTER_TOKEN: 'etcd-cluster-1',
      ETCD_INITIAL_CLUSTER_STATE: 'new',
      ETCD_QUOTA_BACKEND_BYTES: '8589934592',
      ETCD_ENABLE_V2: 'true',
    });
    await checkMember(etcd, 'of-variables');
  });

  test("a configuration file with the keys of etcd's sample", async () => {
    const file = join(scratch, 'etcd.conf.yml');
    writeFileSync(file, sampleFile('of-file'));
    await checkMember(new Etcd('file', ['--config-file', file]), 'of-file');
  });

  test('--version says in its first line which etcd it stands for', async () => {
    const { code, stdout } = await new Etcd('version', ['--version']).ended();
    assert.equal(code, 0);
    assert.match(stdout, /^etcd Version: 3\.\d+\.\d+\nBalsa Version: \d/);
  });
});

/** It serves under that name, and ends with 0. */
async function checkMember(etcd: Etcd, name: string): Promise<void> {
  const log = (await etcd.said(isReady)).split('\n');
  const { urls } = JSON.parse(log.find((line) => isReady.test(line)) ?? '') as { urls: readonly string[] };
  await put(urls[0], 'k', 'v');
  assert.equal(await get(urls[0], 'k'), 'v');
  const { members } = (await post(urls[0], 'cluster/member/list', {})) as { members: { name: string }[] };
  assert.deepEqual(
    members.map((member) => member.name),
    [name],
  );
  assert.equal(await etcd.stop('SIGTERM'), 0);
}

async function put(url: string | undefined, key: string, value: string): Promise<void> {
  await post(url, 'kv/put', { key: base64(key), value: base64(value) });
}

async function get(url: string | undefined, key: string): Promise<string> {
  const { kvs = [] } = (await post(url, 'kv/range', { key: base64(key) })) as { kvs?: { value: string }[] };
  return Buffer.from(kvs[0]?.value ?? '', 'base64').toString();
}

async function post(url: string | undefined, path: string, body: object): Promise<unknown> {
  const answer = await fetch(`${url}/v3/${path}`, { method: 'POST', body: JSON.stringify(body) });
  assert.equal(answer.status, 200, path);
  return answer.json();
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** With the keys that etcd's own sample has, and what it says of most of them: nothing. */
function sampleFile(name: string): string {
  const keys = ['cert-file:', 'key-file:', 'client-cert-auth: false', 'trusted-ca-file:', 'auto-tls: false'];
  const section = keys.map((key) => `\n  ${key}`).join('');
  return `# As etcd.conf.yml.sample.
name: '${name}'
data-dir:
wal-dir:
snapshot-count: 10000
heartbeat-interval: 100
election-timeout: 1000
quota-backend-bytes: 0
listen-peer-urls: ${anyPort}
listen-client-urls: ${anyPort}
cors:
discovery:
discovery-fallback: 'proxy'
discovery-srv:
initial-cluster:
initial-cluster-token: 'etcd-cluster'
initial-cluster-state: 'new'
strict-reconfig-check: false
enable-pprof: true
proxy: 'off'
proxy-failure-wait: 5000
client-transport-security:${section}
peer-transport-security:${section}
self-signed-cert-validity: 1
log-level: info
logger: zap
log-outputs: [stderr]
force-new-cluster: false
auto-compaction-mode: periodic
auto-compaction-retention: "1"
tls-min-version: 'TLS1.2'
`;
}

/** The script that the manual gives. */
function wrapperIn(markdown: string): string {
  const [, script] = /```sh\n(#!\/bin\/sh\nexec [^`]*)```/.exec(markdown) ?? [];
  if (script === undefined) throw new Error('docs/etcd-compatibility.md has no wrapper');
  return script;
}
