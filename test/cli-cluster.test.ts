import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { connect } from '../src/client/index.ts';
import { BalsaProcess, childrenOf, isAlive } from './support/balsa.ts';
import { eventually } from './support/processes.ts';

const scratch = mkdtempSync(join(tmpdir(), 'balsa-cluster-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

/** A first port from which on the ports of a local cluster are free: the offsets are 0, 20000 and 30000. */
async function freeBase(): Promise<number> {
  for (let base = 3000 + Math.floor(Math.random() * 9000); base < 15_000; base += 7) {
    const ports = [0, 20_000, 30_000].flatMap((offset) => [base + offset, base + offset + 1]);
    if ((await Promise.all(ports.map(isFree))).every(Boolean)) return base;
  }
  throw new Error('no ports are free');
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, 'localhost');
  const taken = await once(server, 'listening').then(
    () => false,
    () => true,
  );
  if (taken) return false;
  server.close();
  await once(server, 'close');
  return true;
}

function cluster(base: number, directory: string, ...flags: string[]): BalsaProcess {
  return new BalsaProcess([
    'cluster',
    `--client-port=${base}`,
    `--peer-port=${base + 1}`,
    `--data-dir=${join(scratch, directory)}`,
    ...flags,
  ]);
}

const isReady = /see the members\n.*\n/;

test('cluster: three members with a leader, a tour that works, and an orderly end on Ctrl-C', async () => {
  const base = await freeBase();
  const first = cluster(base, 'tour');
  const said = await first.said(isReady);
  assert.match(said, /^Starting 3 members, new data in/);
  assert.match(said, /Ready after \d+\.\d s\.\n {2}node1 /);
  assert.equal(said.match(/\(leader\)/g)?.length, 1);
  assert.match(said, /^node[123] │ \d\d:\d\d:\d\d\.\d{3} serving clients/m);
  const members = childrenOf(first.pid);
  assert.equal(members.length, 3);

  const [, putUrl] = /curl -X PUT (\S+) -d world/.exec(said) ?? [];
  const [, getUrl] = /curl (\S+\/v1\/kv\/hello)\n/.exec(said) ?? [];
  assert.equal((await fetch(`${putUrl}`, { method: 'PUT', body: 'world' })).status, 201);
  assert.equal(await (await fetch(`${getUrl}`)).text(), 'world');

  first.child.kill('SIGINT');
  const { code, stdout, stderr } = await first.ended();
  assert.equal(code, 0, stderr);
  assert.match(stdout, /Stopped\. The data stays in/);
  assert.deepEqual(members.filter(isAlive), []);

  const second = cluster(base, 'tour');
  assert.match(await second.said(isReady), /^Starting 3 members, going on with the data in/);
  assert.equal(await (await fetch(`${getUrl}`)).text(), 'world');
  second.child.kill('SIGTERM');
  assert.equal((await second.ended()).code, 0);
});

test('cluster: one member is a cluster, too', async () => {
  const base = await freeBase();
  const running = cluster(base, 'one', '--nodes=1');
  assert.match(await running.said(isReady), /node1 {2}http:\/\/localhost:\d+ {2}\(leader\)/);
  running.child.kill('SIGINT');
  assert.equal((await running.ended()).code, 0);
});

test('cluster: when a member ends by itself the others are stopped, and the exit code tells', async () => {
  const running = cluster(await freeBase(), 'lost');
  await running.said(isReady);
  const members = childrenOf(running.pid);
  process.kill(members[1] ?? 0, 'SIGKILL');
  const { code, stderr } = await running.ended();
  assert.equal(code, 1);
  assert.match(stderr, /^balsa: node2 ended by itself \(SIGKILL\)/);
  assert.deepEqual(members.filter(isAlive), []);
});

test('cluster: a leader that is asked to remove itself answers before it ends, and the others go on', async () => {
  const running = cluster(await freeBase(), 'removed');
  const said = await running.said(isReady);
  const [, name = '', url = ''] = /(node[123]) {2}(http:\/\/localhost:\d+) {2}\(leader\)/.exec(said) ?? [];
  const urls = [...said.matchAll(/^ {2}node[123] {2}(\S+)/gm)].map(([, found = '']) => found);
  const { leader } = await connect({ endpoints: url }).cluster();
  const { members } = await connect({ endpoints: url }).members.remove(leader ?? '');
  assert.equal(members.length, 2);
  await running.said(new RegExp(`^${name} │ balsa: member ${leader} was removed from the cluster`, 'm'));
  const others = connect({ endpoints: urls.filter((other) => other !== url), timeoutMs: 20_000 });
  await eventually('the others elect a leader', 20_000, async () => (await others.put('after', '')).revision > 1);
  running.child.kill('SIGINT');
  assert.equal((await running.ended()).code, 0);
});

test('cluster: no member outlives it, even if it is killed', async () => {
  const running = cluster(await freeBase(), 'killed');
  await running.said(isReady);
  const members = childrenOf(running.pid);
  running.child.kill('SIGKILL');
  await running.ended();
  await eventually('the members have ended', 15_000, async () => members.every((pid) => !isAlive(pid)));
});

test('cluster: a port that is taken is named before anything is started', async () => {
  const base = await freeBase();
  const server = createServer().listen(base + 20_000, 'localhost');
  await once(server, 'listening');
  const { code, stdout, stderr } = await cluster(base, 'taken').ended();
  server.close();
  assert.equal(code, 1);
  assert.equal(stdout, '');
  assert.equal(
    stderr,
    `balsa: port ${base + 20_000}, the client port of node2, is in use; stop what uses it, or give another with --client-port\n`,
  );
});

test('cluster: ports that leave no room for the other members are refused', async () => {
  const { code, stderr } = await new BalsaProcess(['cluster', '--client-port=60000']).ended();
  assert.equal(code, 1);
  assert.match(stderr, /--client-port: must be a port from 1 to 15535/);
});
