import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { balsa } from '../support/balsa.ts';
import { eventually, type NodeProcess, ProcessCluster } from '../support/processes.ts';

const environment = { ...process.env, ETCDCTL_API: '3' };

const places = [
  ['of one node', 1],
  ['through a follower of three', 3],
] as const;

for (const [where, size] of places) {
  test(`etcdctl: keys, ${where}`, async () => {
    await using cluster = await ProcessCluster.start(size);
    const node = size === 1 ? cluster.node(0) : await followerOf(cluster);
    const ctl = etcdctl([node]);
    assert.equal(ctl('put', 'foo', 'bar'), 'OK\n');
    assert.equal(ctl('get', 'foo'), 'foo\nbar\n');
    assert.equal(ctl('get', 'foo', '--print-value-only'), 'bar\n');
    assert.equal(ctl('put', 'foo', 'baz', '--prev-kv'), 'OK\nfoo\nbar\n');
    assert.equal(ctl('get', 'foo', '--rev=2'), 'foo\nbar\n');
    assert.equal(ctl('get', 'foo', '--hex'), '\\x66\\x6f\\x6f\n\\x62\\x61\\x7a\n');
    for (const key of ['a', 'b', 'c']) ctl('put', `k/${key}`, key);
    assert.equal(ctl('get', '--prefix', 'k/', '--keys-only'), 'k/a\n\nk/b\n\nk/c\n\n');
    assert.equal(ctl('get', '--prefix', 'k/', '--order=DESCEND', '--sort-by=KEY', '--limit=1'), 'k/c\nc\n');
    assert.equal(ctl('get', 'k/b', '--from-key'), 'k/b\nb\nk/c\nc\n');
    assert.match(ctl('get', '--prefix', 'k/', '-w', 'fields', '--limit=1'), /"More" : true\n"Count" : 3/);
    assert.equal(ctl('get', '--consistency=s', 'foo', '--print-value-only'), 'baz\n');
    assert.match(ctl('get', 'foo', '-w', 'json'), /"key":"Zm9v".*"value":"YmF6"/);
    assert.match(ctl('get', 'foo', '-w', 'protobuf'), /foo/);
    assert.equal(ctl('put', 'foo', '--ignore-value'), 'OK\n');
    assert.equal(ctl('del', 'k/', '--prefix', '--prev-kv'), '3\nk/a\na\nk/b\nb\nk/c\nc\n');
    assert.match(fails(node, 'get', 'foo', '--rev=1000'), /required revision is a future revision/);
    assert.match(ctl('compaction', '3'), /compacted revision 3/);
    assert.match(fails(node, 'get', 'foo', '--rev=2'), /required revision has been compacted/);
    assert.match(fails(node, 'put', 'k', 'v', '--lease=1234'), /requested lease not found/);
  });

  test(`etcdctl: transactions, ${where}`, async () => {
    await using cluster = await ProcessCluster.start(size);
    const node = size === 1 ? cluster.node(0) : await followerOf(cluster);
    const ctl = etcdctl([node]);
    ctl('put', 'flag', '1');
    const text = 'val("flag") = "1"\n\nput result yes\nget flag\n\nput result no\n\n';
    assert.equal(ctl.withInput(text, 'txn'), 'SUCCESS\n\nOK\n\nflag\n1\n');
    assert.match(ctl.withInput(text, 'txn', '-i'), /SUCCESS/);
    assert.equal(ctl.withInput(text.replace('= "1"', '= "2"'), 'txn'), 'FAILURE\n\nOK\n');
    assert.equal(ctl('get', 'result', '--print-value-only'), 'no\n');
  });

  test(`etcdctl: leases, ${where}`, async () => {
    await using cluster = await ProcessCluster.start(size);
    const node = size === 1 ? cluster.node(0) : await followerOf(cluster);
    const ctl = etcdctl([node]);
    const [, id = ''] = /lease (\w+) granted with TTL\(60s\)/.exec(ctl('lease', 'grant', '60')) ?? [];
    assert.match(ctl('lease', 'list'), new RegExp(`found 1 leases\n${id}`));
    ctl('put', 'leased', 'v', `--lease=${id}`);
    assert.match(
      ctl('lease', 'timetolive', id, '--keys'),
      /granted with TTL\(60s\), remaining\(\d+s\), attached keys\(\[leased\]\)/,
    );
    assert.match(ctl('lease', 'keep-alive', '--once', id), /keepalived with TTL\(60\)/);
    assert.match(ctl('lease', 'revoke', id), /revoked/);
    assert.equal(ctl('get', 'leased'), '');
    assert.match(ctl('lease', 'timetolive', id), /already expired/);
    assert.match(fails(node, 'lease', 'revoke', id), /requested lease not found/);
  });

  test(`etcdctl: a snapshot, ${where}`, async () => {
    await using cluster = await ProcessCluster.start(size);
    const node = size === 1 ? cluster.node(0) : await followerOf(cluster);
    const directory = mkdtempSync(join(tmpdir(), 'balsa-etcdctl-'));
    const path = join(directory, 'snapshot.db');
    try {
      for (let i = 0; i < 20; i++) etcdctl([node])('put', `k/${i}`, 'v'.repeat(10_000));
      etcdctl([node])('snapshot', 'save', path);
      // As etcd's file: whole sectors, and the SHA-256 of them.
      assert.equal(statSync(path).size % 512, 32);
      const { code, stderr } = await balsa(['snapshot', 'verify', path]);
      assert.equal(code, 0, stderr);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
}

test('etcdctl: a watch from the past and on, and through the death of its node', async () => {
  await using cluster = await ProcessCluster.start(3);
  const leader = await cluster.leader();
  const follower = cluster.nodes.find((node) => node !== leader) ?? leader;
  const ctl = etcdctl([leader]);
  ctl('put', 'w/a', '1');
  await using watch = new Running(['watch', '--prefix', 'w/', '--rev=1'], [follower, leader]);
  await watch.said('PUT\nw/a\n1\n');
  etcdctl([leader])('del', 'w/a');
  await watch.said('DELETE\nw/a\n');
  await follower.kill();
  etcdctl([leader])('put', 'w/b', '2');
  await watch.said('PUT\nw/b\n2\n');
  assert.equal(watch.stdout, 'PUT\nw/a\n1\nDELETE\nw/a\n\nPUT\nw/b\n2\n');
});

test('etcdctl: locks wait for each other, and elections have one leader', async () => {
  await using cluster = await ProcessCluster.start(3);
  const [first, second] = [new Running(['lock', 'l'], cluster.nodes), new Running(['lock', 'l'], cluster.nodes)];
  await using holders = new Both(first, second);
  await eventually('one of them has it', 5000, async () => holders.stdout.some((text) => text.startsWith('l/')));
  const holder = first.stdout === '' ? second : first;
  const waiting = holder === first ? second : first;
  assert.equal(waiting.stdout, '');
  await holder.interrupt();
  await eventually('the other one has it', 5000, async () => waiting.stdout.startsWith('l/'));
  assert.equal(etcdctl(cluster.nodes)('lock', 'other', 'echo', 'under', 'it'), 'under it\n');

  await using campaign = new Running(['elect', 'e', 'me'], cluster.nodes);
  await eventually('it leads', 5000, async () => campaign.stdout.endsWith('me\n'));
  await using observer = new Running(['elect', '-l', 'e'], cluster.nodes);
  await eventually('who leads is seen', 5000, async () => observer.stdout.endsWith('me\n'));
});

test('etcdctl: who holds a lock and who leads stay across the death of the leader', async () => {
  await using cluster = await ProcessCluster.start(3);
  const leader = await cluster.leader();
  const others = cluster.nodes.filter((node) => node !== leader);
  // The leader's endpoint comes first: these sessions have to go on elsewhere.
  const all = [leader, ...others];
  await using holder = new Running(['lock', 'l'], all);
  await holder.said('l/');
  await using waiting = new Running(['lock', 'l'], all);
  await using campaign = new Running(['elect', 'e', 'me'], all);
  await campaign.said('me\n');
  const queue = () => etcdctl(others)('get', '--prefix', 'l/', '--keys-only').match(/^l\//gm)?.length;
  await eventually('the second one waits', 5000, async () => queue() === 2);
  await leader.kill();
  await eventually('writes go on', 10_000, async () => etcdctl(others)('put', 'k', 'v') === 'OK\n');
  assert.equal(waiting.stdout, '');
  assert.ok(holder.isRunning && campaign.isRunning);
  await using observer = new Running(['elect', '-l', 'e'], others);
  await observer.said('me\n');
  await holder.interrupt();
  await waiting.said('l/');
});

test('etcdctl: the leadership moves to each node in turn', async () => {
  await using cluster = await ProcessCluster.start(3);
  const ctl = etcdctl(cluster.nodes);
  for (const target of cluster.nodes) {
    const from = await cluster.leader();
    const { memberId } = (await (await target.get('/v1/status')).json()) as { readonly memberId: string };
    if (target === from) {
      assert.match(fails(cluster.nodes, 'move-leader', 'deadbeef'), /bad leader transferee|not found/);
      continue;
    }
    assert.match(ctl('move-leader', memberId), new RegExp(`Leadership transferred from \\w+ to ${memberId}`));
    assert.equal(await cluster.leader(), target);
    assert.equal(ctl('put', 'k', target.spec.name), 'OK\n');
  }
  const leader = await cluster.leader();
  const followers = cluster.nodes.filter((node) => node !== leader);
  assert.match(fails(followers, 'move-leader', 'deadbeef'), /no leader endpoint given/);
});

test('etcdctl: the cluster, through each of its nodes and across the death of its leader', async () => {
  await using cluster = await ProcessCluster.start(3);
  const ctl = etcdctl(cluster.nodes);
  assert.equal(ctl('member', 'list', '-w', 'table').match(/started/g)?.length, 3);
  assert.match(ctl('member', 'list', '-w', 'json'), /"name":"node1","peerURLs":\["http/);
  assert.equal(ctl('endpoint', 'health', '--cluster', '-w', 'json').match(/"health":true/g)?.length, 3);
  assert.equal(ctl('endpoint', 'status', '--cluster', '-w', 'table').match(/ true \|/g)?.length, 1, 'one leads');
  ctl('put', 'k', 'v');
  await eventually('all have it', 5000, async () => {
    const hashes = JSON.parse(ctl('endpoint', 'hashkv', '--cluster', '-w', 'json')) as { HashKV: { hash: number } }[];
    return hashes.length === 3 && new Set(hashes.map(({ HashKV }) => HashKV.hash)).size === 1;
  });
  assert.equal(ctl('alarm', 'list'), '');
  assert.equal(ctl('alarm', 'disarm'), '');
  assert.match(ctl('defrag', '--cluster'), /Finished defragmenting/);
  assert.match(ctl('role', 'list'), /^$/);
  const leader = await cluster.leader();
  await leader.kill();
  const others = cluster.nodes.filter((node) => node !== leader);
  await eventually('writes go on', 10_000, async () => etcdctl(others)('put', 'k', 'w') === 'OK\n');
  for (const node of others) assert.equal(etcdctl([node])('get', 'k', '--print-value-only'), 'w\n');
});

test('etcdctl: a mirror', async () => {
  await using cluster = await ProcessCluster.start(3);
  await using target = await ProcessCluster.start(1);
  const ctl = etcdctl(cluster.nodes);
  ctl('put', 'mirrored', 'v');
  await using mirror = new Running(['make-mirror', target.node(0).url], cluster.nodes);
  await eventually('it is there too', 10_000, async () => {
    return etcdctl(target.nodes)('get', 'mirrored', '--print-value-only') === 'v\n';
  });
  assert.ok(mirror.isRunning);
});

interface Etcdctl {
  (...args: string[]): string;
  withInput(input: string, ...args: string[]): string;
}

/** Runs to its end, with success. */
function etcdctl(nodes: readonly NodeProcess[]): Etcdctl {
  const run = (input: string, args: readonly string[]): string => {
    const { status, stdout, stderr } = spawnSync('etcdctl', [...args, endpoints(nodes)], {
      env: environment,
      input,
      timeout: 90_000,
    });
    assert.equal(status, 0, `etcdctl ${args.join(' ')}: ${stdout}${stderr}`);
    return stdout.toString();
  };
  return Object.assign((...args: string[]) => run('', args), {
    withInput: (input: string, ...args: string[]) => run(input, args),
  });
}

/** Runs to its end, without success; what it says then. */
function fails(nodes: NodeProcess | readonly NodeProcess[], ...args: string[]): string {
  const { status, stderr } = spawnSync('etcdctl', [...args, endpoints([nodes].flat())], {
    env: environment,
    timeout: 20_000,
  });
  assert.notEqual(status, 0, `etcdctl ${args.join(' ')} succeeded`);
  return stderr.toString();
}

async function followerOf(cluster: ProcessCluster): Promise<NodeProcess> {
  const leader = await cluster.leader();
  return cluster.nodes.find((node) => node !== leader) ?? leader;
}

function endpoints(nodes: readonly NodeProcess[]): string {
  return `--endpoints=${nodes.map(({ url }) => url).join(',')}`;
}

/** A command that goes on until it is stopped. */
class Running implements AsyncDisposable {
  readonly #child: ChildProcess;
  #stdout = '';

  constructor(args: readonly string[], nodes: readonly NodeProcess[]) {
    this.#child = spawn('etcdctl', [...args, endpoints(nodes)], {
      env: environment,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      this.#stdout += chunk.toString();
    });
  }

  get stdout(): string {
    return this.#stdout;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null;
  }

  async said(text: string): Promise<void> {
    await eventually(`"${text}", not "${this.#stdout}"`, 10_000, async () => this.#stdout.includes(text));
  }

  async interrupt(): Promise<void> {
    if (!this.isRunning) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGINT');
    await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.isRunning || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }
}

class Both implements AsyncDisposable {
  readonly #all: readonly Running[];

  constructor(...all: readonly Running[]) {
    this.#all = all;
  }

  get stdout(): readonly string[] {
    return this.#all.map(({ stdout }) => stdout);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const one of this.#all) await one[Symbol.asyncDispose]();
  }
}
