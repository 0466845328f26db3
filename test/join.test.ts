import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { seededRandom } from '../src/base/random.ts';
import { connect } from '../src/client/index.ts';
import { foundingIdentity } from '../src/server/cluster-identity.ts';
import { resolveConfig } from '../src/server/config.ts';
import { systemClock } from '../src/server/system-clock.ts';
import { openTransport, type PeerTransport } from '../src/transport/index.ts';
import { BalsaProcess } from './support/balsa.ts';
import { eventually, freePorts, type NodeProcess, ProcessCluster } from './support/processes.ts';

const scratch = mkdtempSync(join(tmpdir(), 'balsa-join-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

test('a running cluster: who joins votes, goes by its data, and stops when it is removed or has lost its data', async () => {
  await using cluster = await ProcessCluster.start(3);
  const [peerPort, clientPort, strangerPort] = await freePorts(3);
  const members = cluster.nodes.map(({ spec }) => `${spec.name}=http://127.0.0.1:${spec.peerPort}`);
  const endpoints = cluster.nodes.map(({ url }) => url);
  const own = [
    '--name=node4',
    `--data-dir=${join(scratch, 'node4')}`,
    `--listen-peer-urls=http://127.0.0.1:${peerPort}`,
    `--listen-client-urls=http://127.0.0.1:${clientPort}`,
  ];
  const stranger = `http://127.0.0.1:${strangerPort}`;
  const refusing = refusal([
    '--name=node5',
    `--data-dir=${join(scratch, 'node5')}`,
    `--listen-peer-urls=${stranger}`,
    `--initial-cluster=${[...members, `node5=${stranger}`].join(',')}`,
    '--initial-cluster-state=existing',
  ]);
  const { code, line } = await refusing;
  assert.equal(code, 1);
  const [advice, listed = ''] = line.split(' --endpoints=');
  assert.ok(advice?.endsWith(`add it first: balsa member add node5 --peer-urls=${stranger}`), line);
  assert.deepEqual(new Set(listed.split(',')), new Set(endpoints));
  assert.equal(existsSync(join(scratch, 'node5')), false);

  const joining = new BalsaProcess(['serve', '--log-format=json', ...own, `--join=${endpoints[1]}`], { cwd: scratch });
  await joining.said(/"joined: this member votes"/);
  joining.child.kill('SIGKILL');
  await joining.ended();
  const again = new BalsaProcess(['serve', '--log-format=json', ...own], { cwd: scratch });
  await again.said(/"ready to serve client requests"/);
  const client = connect({ endpoints });
  const { id } = (await client.members.list()).members.find(({ name }) => name === 'node4') ?? { id: '' };
  assert.equal((await client.members.remove(id, { timeoutMs: 10_000 })).members.length, 3);
  const ended = await again.ended();
  assert.equal(ended.code, 1);
  assert.match(oneLine(ended.stderr), /was removed from (the|its) cluster/);
  assert.equal((await refusal(own)).code, 1);

  // One that has lost its data does not come back as if nothing had been.
  const lost = cluster.node(2);
  await lost.kill();
  rmSync(lost.spec.dataDir, { recursive: true });
  lost.start();
  assert.equal((await lost.exited()).code, 1);
  assert.match(
    lastLine(lost),
    /member node3 of cluster \w+ has run before: .*"balsa member replace node3 --endpoints=/,
  );
  assert.equal(existsSync(lost.spec.dataDir), false);
  assert.ok((await fetch(`${cluster.node(0).url}/v1/kv/a`, { method: 'PUT', body: 'b' })).ok);

  // One that has data goes by its data, whatever members the flags list.
  const [node] = cluster.nodes;
  const flag = `--initial-cluster=node1=http://127.0.0.1:${node?.spec.peerPort},node9=http://127.0.0.1:1`;
  const changed = cluster.another([flag]);
  await node?.kill();
  changed.start();
  await eventually('it serves', 10_000, async () => (await changed.get('/readyz')).ok);
  assert.match(readFileSync(changed.logPath, 'utf8'), /initial-cluster has no effect/);
});

test('a member that the cluster has removed stops with one line; one with software that is too old, too', async () => {
  await using removed = await Pair.start(true);
  await using old = await Pair.start(false);
  const [one, other] = [await removed.member.ended(), await old.member.ended()];
  assert.deepEqual([one.code, other.code], [1, 1]);
  assert.match(oneLine(one.stderr), /^balsa: member \w+ was removed from the cluster, and an id never comes back: /);
  assert.match(oneLine(other.stderr), /^balsa: the cluster has agreed on version 99\.0, and member \w+ runs \d/);
});

test('--join: is added once, keeps its id when it is killed on the way, and goes on with it', async () => {
  await using door = await Door.open();
  const [peerPort = 0, clientPort] = await freePorts(2);
  const dataDir = join(scratch, 'joining');
  const flags = [
    'serve',
    '--name=node4',
    `--data-dir=${dataDir}`,
    `--listen-peer-urls=http://127.0.0.1:${peerPort}`,
    `--listen-client-urls=http://127.0.0.1:${clientPort}`,
    '--log-format=json',
  ];
  for (let start = 0; start < 2; start++) {
    const member = new BalsaProcess([...flags, `--join=${door.url}`], { cwd: scratch });
    await member.said(/"peer unreachable"/);
    await member.said(/waiting for the leader/);
    member.child.kill('SIGKILL');
    await member.ended();
    assert.deepEqual(door.added, [{ name: 'node4', peerUrls: [`http://127.0.0.1:${peerPort}`], promote: 'auto' }]);
    assert.equal(JSON.parse(readFileSync(join(dataDir, 'identity.json'), 'utf8')).memberId, 'd4');
  }
  const { code, line } = await refusal(flags.slice(1));
  assert.equal(code, 1);
  assert.match(line, /does not know the members of cluster c1 yet; start member d4 with --join/);
  rmSync(dataDir, { recursive: true });
  const again = new BalsaProcess([...flags, `--join=${door.url}`], { cwd: scratch });
  await again.said(/waiting for the leader/);
  again.child.kill('SIGKILL');
  await again.ended();
  assert.equal(door.added.length, 1);
});

test('--join: nobody there, and a cluster that says no', async () => {
  await using door = await Door.open();
  const own = ['--name=node4', `--data-dir=${join(scratch, 'unwanted')}`, '--listen-peer-urls=http://127.0.0.1:2'];
  door.refuses = true;
  assert.match(
    (await refusal([...own, `--join=${door.url}`])).line,
    /^balsa: join: .*: Too many members\. \(bad_request\)$/,
  );
  assert.match(
    (await refusal([...own, '--join=http://127.0.0.1:4'])).line,
    /^balsa: join: http:\/\/127\.0\.0\.1:4: Cannot /,
  );
  assert.match(
    (await refusal([...own, '--join=http://192.0.2.1:2379'])).line,
    /the members behind http:\/\/192\.0\.2\.1:2379 cannot reach this one at http:\/\/127\.0\.0\.1:2/,
  );
});

/** Two founders: a real process, and a transport that tells it why it is not wanted. */
class Pair implements AsyncDisposable {
  readonly member: BalsaProcess;
  readonly #other: PeerTransport;

  private constructor(member: BalsaProcess, other: PeerTransport) {
    this.member = member;
    this.#other = other;
  }

  static async start(isRemoved: boolean): Promise<Pair> {
    const [own = 0, others = 0, clientPort] = await freePorts(3);
    const [ownUrl, otherUrl] = [`http://127.0.0.1:${own}`, `http://127.0.0.1:${others}`];
    const initialCluster = `node1=${ownUrl},node2=${otherUrl}`;
    const idOf = (name: string) => foundingIdentity(resolveConfig({ name, initialCluster } as object)).memberId;
    const { clusterId } = foundingIdentity(resolveConfig({ name: 'node1', initialCluster } as object));
    const member = new BalsaProcess(
      [
        'serve',
        '--name=node1',
        `--data-dir=${join(scratch, `pair-${isRemoved}`)}`,
        `--listen-peer-urls=${ownUrl}`,
        `--listen-client-urls=http://127.0.0.1:${clientPort}`,
        `--initial-cluster=${initialCluster}`,
        '--log-format=json',
      ],
      { cwd: scratch },
    );
    const other = await openTransport({
      clusterId,
      memberId: idOf('node2'),
      listenUrls: [otherUrl],
      peers: isRemoved ? [] : [{ id: idOf('node1'), urls: [ownUrl] }],
      removed: new Set(isRemoved ? [idOf('node1')] : []),
      softwareVersion: '99.0.0',
      clusterVersion: () => '99.0',
      heartbeatMs: 100,
      queueBytesMax: 1_000_000,
      frameBytesMax: 1_000_000,
      clock: systemClock,
      random: seededRandom(1),
      log: { info: () => undefined, warn: () => undefined },
    });
    return new Pair(member, other);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.member.child.kill('SIGKILL');
    await this.#other.close();
  }
}

/** The client port of a cluster of one that lets members in, as far as HTTP goes. */
class Door implements AsyncDisposable {
  readonly url: string;
  readonly added: object[] = [];
  refuses = false;
  readonly #server = createServer();
  readonly #members: object[] = [
    {
      id: 'a1',
      name: 'node1',
      role: 'voter',
      peerUrls: ['http://127.0.0.1:9'],
      clientUrls: ['http://a:1'],
      version: '1',
    },
  ];

  private constructor() {
    this.#server.on('request', async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      const path = request.url?.split('?')[0];
      if (request.method === 'GET' && path === '/v1/cluster') this.#send(response, 200, this.#cluster());
      else if (request.method !== 'POST' || path !== '/v1/cluster/members') response.writeHead(404).end();
      else if (this.refuses)
        this.#send(response, 400, { code: 'bad_request', detail: 'Too many members.', status: 400 });
      else this.#send(response, 201, this.#add(JSON.parse(body)));
    });
    this.#server.listen(0, '127.0.0.1');
    this.url = '';
  }

  static async open(): Promise<Door> {
    const door = new Door();
    await once(door.#server, 'listening');
    return Object.assign(door, { url: `http://127.0.0.1:${(door.#server.address() as AddressInfo).port}` });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #cluster() {
    return { clusterId: 'c1', leader: null, raftTerm: 1, revision: 1, members: this.#members };
  }

  #add(request: { readonly name: string; readonly peerUrls: readonly string[] }) {
    const member = {
      id: 'd4',
      name: request.name,
      role: 'learner',
      peerUrls: request.peerUrls,
      clientUrls: [],
      version: '',
    };
    this.added.push(request);
    this.#members.push(member);
    return { clusterId: 'c1', member, members: this.#members };
  }

  #send(response: import('node:http').ServerResponse, status: number, body: object): void {
    const type = status < 400 ? 'application/json' : 'application/problem+json';
    response.writeHead(status, { 'content-type': type }).end(JSON.stringify(body));
  }
}

/** Of a start that has to end by itself. */
async function refusal(flags: readonly string[]): Promise<{ readonly code: number | null; readonly line: string }> {
  const member = new BalsaProcess(['serve', '--log-format=json', ...flags], { cwd: scratch });
  const killer = setTimeout(() => member.child.kill('SIGKILL'), 15_000);
  const { code, stderr } = await member.ended();
  clearTimeout(killer);
  return { code, line: oneLine(stderr) };
}

function oneLine(stderr: string): string {
  const lines = stderr.trimEnd().split('\n');
  assert.equal(lines.length, 1, `one clear line, not:\n${stderr}`);
  return lines[0] ?? '';
}

function lastLine({ logPath }: NodeProcess): string {
  return readFileSync(logPath, 'utf8').trimEnd().split('\n').at(-1) ?? '';
}
