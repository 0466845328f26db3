/**
 * Tries the image and docker-compose.yml on a real engine: `npm run test:docker`.
 *
 * Needs a Docker engine, compose (either `docker compose` or `docker-compose`), and the ports of docker-compose.yml.
 * DOCKER_BUILD_FLAGS are added to `docker build`, such as `--network=host`. The cluster, its volumes and its network have
 * names of their own and are gone at the end.
 */
import assert from 'node:assert/strict';
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const image = 'balsa';
const project = `balsa-test-${process.pid}`;
const stopSecondsMax = 10;

interface Member {
  readonly service: string;
  readonly url: string;
}

const members: readonly Member[] = [
  { service: 'balsa1', url: 'http://127.0.0.1:2379' },
  { service: 'balsa2', url: 'http://127.0.0.1:22379' },
  { service: 'balsa3', url: 'http://127.0.0.1:32379' },
];

const joiners: readonly Member[] = [
  { service: 'balsa4', url: 'http://127.0.0.1:42379' },
  { service: 'balsa5', url: 'http://127.0.0.1:52379' },
];
const five = ['-f', 'docker-compose.yml', '-f', 'docker-compose.five.yml'];

const compose = findCompose();
const scratch = mkdtempSync(join(tmpdir(), 'balsa-docker-'));
try {
  await tryImage();
  await tryCluster();
  await tryOperations();
} finally {
  await step('everything is taken away again', () => inProject(...five, 'down', '-v', '--timeout', '5'));
  rmSync(scratch, { recursive: true, force: true });
}
const left = await docker('volume', 'ls', '--quiet', '--filter', `name=${project}`);
assert.equal(left, '', 'no volume is left');
console.log('The image and docker-compose.yml work.');

async function tryImage(): Promise<void> {
  const buildFlags = (process.env['DOCKER_BUILD_FLAGS'] ?? '').split(' ').filter((flag) => flag !== '');
  await step('the image is built', () => docker('build', ...buildFlags, '--tag', image, '.'));

  const size = Number(await docker('image', 'inspect', '--format', '{{.Size}}', image));
  console.log(`  ${Math.round(size / 1e6)} MB, with what it is based on`);

  await step('it runs a command as a user without privileges', async () => {
    const nodeScript = 'console.log(process.getuid(), process.env.NODE_ENV)';
    assert.equal(await docker('run', '--rm', '--entrypoint', 'node', image, '-e', nodeScript), '1000 production');
    assert.match(await docker('run', '--rm', image, 'serve', '--help'), /--data-dir/);
  });
}

async function tryCluster(): Promise<void> {
  await step('three members come up and are healthy', async () => {
    await inProject('up', '--detach', '--no-build');
    await allHealthy();
  });

  await step('what is put through one member is read through the others', async () => {
    for (const { service, url } of members) {
      await put(url, `from/${service}`, service);
      for (const other of members) assert.equal(await get(other.url, `from/${service}`), service);
    }
  });

  await step('the data belongs to the server alone', async () => {
    const directory = await docker('exec', await containerOf('balsa1'), 'stat', '-c', '%U %a', '/var/lib/balsa');
    assert.equal(directory, 'node 700');
  });

  await step('the balsa command is at hand in a container', async () => {
    const output = await docker('exec', await containerOf('balsa1'), 'balsa', 'get', 'from/balsa3');
    assert.equal(output, 'balsa3');
  });

  const victim = await leader();
  const survivors = members.filter((member) => member !== victim);
  await step(`the leader, ${victim.service}, is killed: the others go on`, async () => {
    await docker('kill', await containerOf(victim.service));
    for (const { service, url } of survivors) {
      await eventually(`a put through ${service}`, 10_000, () =>
        put(url, `without-${victim.service}/${service}`, service),
      );
    }
    for (const { service } of survivors) {
      for (const { url } of survivors) assert.equal(await get(url, `without-${victim.service}/${service}`), service);
    }
  });

  await step('it is started again and catches up', async () => {
    await docker('start', await containerOf(victim.service));
    await allHealthy();
    for (const { service } of survivors) {
      // Stale: from its own store, not by way of the leader.
      assert.equal(await get(victim.url, `without-${victim.service}/${service}`, 'stale'), service);
    }
  });

  await step('a leader that is told to stop drains: each put that it took is there', stopUnderLoad);

  await step('down and up again: the data is still there', async () => {
    await inProject('down');
    await inProject('up', '--detach', '--no-build');
    await allHealthy();
    for (const { service } of members) {
      for (const { url } of members) assert.equal(await get(url, `from/${service}`), service);
    }
  });
}

/** docs/operations.md: grow to five, back up, lose everything, restore. */
async function tryOperations(): Promise<void> {
  const [first] = members as readonly [Member];
  const keys = Array.from({ length: 200 }, (_, i) => `kept/${i}`);

  await step('two more members join, catch up and vote', async () => {
    for (const key of keys) await put(first.url, key, key);
    await inProject(...five, 'up', '--detach', '--no-build');
    await allHealthy(joiners);
    await eventually('five members vote', 60_000, async () => {
      const voters = await listMembers(first.url);
      return voters.length === 5 && voters.every(({ learner }) => !learner);
    });
    for (const { url } of joiners) assert.equal(await get(url, 'kept/0', 'stale'), 'kept/0');
  });

  await step('two of the five are killed: the others go on', async () => {
    const [one, two] = members as readonly [Member, Member];
    for (const { service } of [one, two]) await docker('kill', await containerOf(service));
    for (const { service, url } of joiners) {
      await eventually(`a put through ${service}`, 15_000, () => put(url, 'with-three-of-five', service));
    }
    for (const { service } of [one, two]) await docker('start', await containerOf(service));
    await allHealthy();
  });

  const backup = join(scratch, 'balsa.backup');
  await step('a backup is taken with curl’s GET /v1/snapshot, and everything is destroyed', async () => {
    const answer = await fetch(`${first.url}/v1/snapshot`);
    assert.equal(answer.status, 200);
    assert.ok(answer.body !== null);
    await pipeline(Readable.fromWeb(answer.body), createWriteStream(backup));
    await inProject(...five, 'down', '-v');
  });

  await step('it is restored into three new members, which have every key', async () => {
    for (const { service } of members) {
      const restore = ['snapshot', 'restore', '-', '--config-file=/etc/balsa/node.yaml'];
      await inProjectFrom(backup, 'run', '--rm', '-T', service, ...restore);
    }
    await inProject('up', '--detach', '--no-build');
    await allHealthy();
    for (const { url } of members) for (const key of keys) assert.equal(await get(url, key, 'stale'), key);
    assert.equal((await listMembers(first.url)).length, 3);
  });

  await step('the page is there on every member', async () => {
    for (const { url } of members) {
      const answer = await fetch(`${url}/ui/`);
      assert.equal(answer.status, 200);
      assert.match(await answer.text(), /<title>.*Balsa/i);
    }
  });
}

async function listMembers(url: string): Promise<readonly { readonly learner: boolean }[]> {
  const answer = await fetch(`${url}/v1/cluster/members`, { signal: AbortSignal.timeout(5000) });
  const { members: listed } = (await answer.json()) as { members: { role: string }[] };
  return listed.map(({ role }) => ({ learner: role === 'learner' }));
}

/** `docker stop` of the leader while clients put through it. */
async function stopUnderLoad(): Promise<void> {
  const stopping = await leader();
  const container = await containerOf(stopping.service);
  const load = putUntilRefused(stopping);
  await eventually('the first puts are acknowledged', 10_000, async () => load.acknowledged.length > 20);

  const startedAt = performance.now();
  await docker('stop', container);
  const seconds = (performance.now() - startedAt) / 1000;
  await load.ended;

  assert.ok(seconds < stopSecondsMax, `docker stop took ${seconds.toFixed(1)} s`);
  assert.equal(await docker('inspect', '--format', '{{.State.ExitCode}}', container), '0', 'its exit code');
  assert.deepEqual(load.wrongAnswers, [], 'answers that are neither a success nor a refusal');
  const survivor = members.find((member) => member !== stopping);
  assert.ok(survivor !== undefined);
  for (const key of load.acknowledged) assert.equal(await get(survivor.url, key), key);
  console.log(`  stopped within ${seconds.toFixed(1)} s, ${load.acknowledged.length} puts acknowledged and kept`);

  await docker('start', container);
  await allHealthy();
}

interface PutLoad {
  readonly acknowledged: string[];
  /** Statuses that a draining member must not answer with. */
  readonly wrongAnswers: number[];
  /** When the member takes no connections any more. */
  readonly ended: Promise<unknown>;
}

/** Eight clients, each with one put after the other. */
function putUntilRefused({ url }: Member): PutLoad {
  const acknowledged: string[] = [];
  const wrongAnswers: number[] = [];
  const client = async (number: number) => {
    for (let i = 0; ; i++) {
      const key = `drain/${number}/${i}`;
      const answer = await request(url, key, { method: 'PUT', body: key }).catch(() => undefined);
      if (answer === undefined) return;
      if (answer.ok) acknowledged.push(key);
      // 503: it does not take writes any more, and has not executed this one.
      else if (answer.status !== 503) wrongAnswers.push(answer.status);
    }
  };
  return { acknowledged, wrongAnswers, ended: Promise.all(Array.from({ length: 8 }, (_, number) => client(number))) };
}

async function put(url: string, key: string, value: string): Promise<true> {
  const answer = await request(url, key, { method: 'PUT', body: value });
  assert.ok(answer.ok, `a put through ${url} was answered with ${answer.status}: ${answer.text}`);
  return true;
}

async function get(url: string, key: string, consistency = 'linearizable'): Promise<string> {
  const answer = await request(url, `${key}?consistency=${consistency}`, { method: 'GET' });
  assert.ok(answer.ok, `a get of ${key} through ${url} was answered with ${answer.status}: ${answer.text}`);
  return answer.text;
}

async function request(url: string, path: string, init: RequestInit) {
  const answer = await fetch(`${url}/v1/kv/${path}`, { ...init, signal: AbortSignal.timeout(10_000) });
  return { ok: answer.ok, status: answer.status, text: await answer.text() };
}

async function leader(): Promise<Member> {
  return eventually('a member leads', 15_000, async () => {
    for (const member of members) {
      const answer = await fetch(`${member.url}/v1/status`, { signal: AbortSignal.timeout(2000) });
      const status: unknown = await answer.json();
      if (typeof status === 'object' && status !== null && 'state' in status && status.state === 'leader')
        return member;
    }
    return undefined;
  });
}

async function allHealthy(expected = members): Promise<void> {
  for (const { service } of expected) {
    const container = await containerOf(service);
    await eventually(`${service} is healthy`, 60_000, async () => {
      const state = await docker('inspect', '--format', '{{.State.Status}} {{.State.Health.Status}}', container);
      return state === 'running healthy';
    });
  }
}

/** Stopped containers too. */
async function containerOf(service: string): Promise<string> {
  const ids = await docker(
    ...['ps', '--all', '--quiet'],
    ...['--filter', `label=com.docker.compose.project=${project}`],
    ...['--filter', `label=com.docker.compose.service=${service}`],
  );
  assert.match(ids, /^[0-9a-f]+$/, `one container for ${service}`);
  return ids;
}

async function step<T>(what: string, action: () => Promise<T>): Promise<T> {
  const startedAt = performance.now();
  console.log(`- ${what}`);
  try {
    return await action();
  } catch (reason) {
    console.error(
      `  failed after ${((performance.now() - startedAt) / 1000).toFixed(1)} s; the end of the members' logs:`,
    );
    console.error(await inProject('logs', '--tail', '15').catch(() => 'there are none'));
    throw reason;
  }
}

async function eventually<T>(
  what: string,
  timeoutMs: number,
  attempt: () => Promise<T | undefined | false>,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  let lastReason: unknown;
  while (performance.now() < deadline) {
    try {
      const answer = await attempt();
      if (answer !== undefined && answer !== false) return answer;
    } catch (reason) {
      lastReason = reason;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`not within ${timeoutMs} ms: ${what}`, { cause: lastReason });
}

async function inProject(...args: readonly string[]): Promise<string> {
  const [command, ...first] = compose;
  return run(command, [...first, '--project-name', project, ...args]);
}

/** The same, with a file as its standard input. */
async function inProjectFrom(path: string, ...args: readonly string[]): Promise<void> {
  const [command, ...first] = compose;
  const child = spawn(command, [...first, '--project-name', project, ...args], {
    cwd: root,
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const [[code]] = await Promise.all([once(child, 'exit'), pipeline(createReadStream(path), child.stdin)]);
  assert.equal(code, 0, `${command} ${args.join(' ')} failed:\n${said}`);
}

async function docker(...args: readonly string[]): Promise<string> {
  return run('docker', args);
}

async function run(command: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(command, args, { cwd: root, maxBuffer: 64 * 1024 * 1024 }, (failure, stdout, stderr) => {
      if (failure === null) return resolve(stdout.trim());
      const said = `${stdout}\n${stderr}`.trim().split('\n').slice(-60).join('\n');
      reject(new Error(`${command} ${args.join(' ')} failed:\n${said}`));
    });
  });
}

function findCompose(): readonly [string, ...string[]] {
  if (!works('docker', 'info')) {
    throw new Error(
      'There is no Docker engine that this user may use (`docker info` fails). On Debian: apt-get install docker.io ' +
        'docker-compose, and membership of the group docker; elsewhere see docs.docker.com/engine/install',
    );
  }
  if (works('docker', 'compose', 'version')) return ['docker', 'compose'];
  if (works('docker-compose', 'version')) return ['docker-compose'];
  throw new Error('There is neither `docker compose` nor `docker-compose`. On Debian: apt-get install docker-compose');
}

function works(command: string, ...args: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore', timeout: 20_000 });
    return true;
  } catch {
    return false;
  }
}
