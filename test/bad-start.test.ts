import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePorts, ProcessCluster } from './support/processes.ts';

const balsaPath = fileURLToPath(new URL('../dist/cli/balsa.cjs', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'balsa-bad-start-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

test('start: a flag that does not exist is refused with the flag that was meant', async () => {
  const { code, stderr } = await serve(['--heartbeat-intervall=50']);
  assert.equal(code, 1);
  assert.match(oneLine(stderr), /--heartbeat-intervall.*--heartbeat-interval/);
});

test('start: a bad URL is refused with the flag it came from', async () => {
  const { code, stderr } = await serve(['--listen-client-urls=127.0.0.1:2379']);
  assert.equal(code, 1);
  assert.match(oneLine(stderr), /--listen-client-urls/);
});

test('start: a member that is to join a running cluster has to be told of one', async () => {
  const { code, stderr } = await serve(['--initial-cluster-state=existing', `--data-dir=${join(scratch, 'joining')}`]);
  assert.equal(code, 1);
  assert.match(
    oneLine(stderr),
    /initial-cluster-state: "existing" needs the running members in --initial-cluster .*--join/,
  );
});

test('start: a port that is taken is refused with the flag to change', async () => {
  await using cluster = await ProcessCluster.start(1);
  const taken = cluster.node(0).url;
  const { code, stderr } = await serve([
    `--data-dir=${join(scratch, 'taken')}`,
    `--listen-client-urls=${taken}`,
    '--listen-peer-urls=http://127.0.0.1:0',
  ]);
  assert.equal(code, 1);
  assert.match(oneLine(stderr), new RegExp(`${taken}.*--listen-client-urls`));
});

test('start: two nodes on one data directory: the second is refused, the first goes on', async () => {
  await using cluster = await ProcessCluster.start(1);
  const { spec } = cluster.node(0);
  const [clientPort] = await freePorts(1);
  const { code, stderr } = await serve([
    `--name=${spec.name}`,
    `--data-dir=${spec.dataDir}`,
    `--initial-cluster=${spec.name}=http://127.0.0.1:${spec.peerPort}`,
    `--initial-advertise-peer-urls=http://127.0.0.1:${spec.peerPort}`,
    '--listen-peer-urls=http://127.0.0.1:0',
    `--listen-client-urls=http://127.0.0.1:${clientPort}`,
  ]);
  assert.equal(code, 1);
  assert.match(oneLine(stderr), /another process|in use/i);
  assert.match(stderr, new RegExp(spec.dataDir));
  const put = await fetch(`${cluster.node(0).url}/v1/kv/still`, { method: 'PUT', body: 'here' });
  assert.equal(put.status, 201);
});

test('start: a data directory of another cluster or of another member is refused and left as it is', async () => {
  await using cluster = await ProcessCluster.start(3);
  const [first, second] = [cluster.node(0), cluster.node(1)];
  await second.kill();
  const initialCluster = cluster.nodes.map(({ spec }) => `${spec.name}=http://127.0.0.1:${spec.peerPort}`).join(',');
  const own = [
    `--name=${second.spec.name}`,
    `--data-dir=${second.spec.dataDir}`,
    `--initial-cluster=${initialCluster}`,
    `--initial-advertise-peer-urls=http://127.0.0.1:${second.spec.peerPort}`,
    `--listen-peer-urls=http://127.0.0.1:${second.spec.peerPort}`,
    `--listen-client-urls=http://127.0.0.1:${second.spec.clientPort}`,
  ];
  const otherCluster = await serve([...own, '--initial-cluster-token=another']);
  assert.equal(otherCluster.code, 1);
  assert.match(oneLine(otherCluster.stderr), /cluster/);

  await first.kill();
  const otherMember = await serve([...own, `--data-dir=${first.spec.dataDir}`]);
  assert.equal(otherMember.code, 1);
  assert.match(oneLine(otherMember.stderr), /member/);

  first.start();
  second.start();
  await cluster.ready();
});

/** Runs `balsa serve` until it ends by itself, which it has to. */
async function serve(flags: readonly string[]): Promise<{ code: number | null; stderr: string }> {
  // The last one of a flag given twice counts here, as with a shell that appends.
  const merged = new Map(flags.map((flag) => [flag.split('=', 1)[0], flag]));
  const child = spawn(process.execPath, [balsaPath, 'serve', '--log-format=json', ...merged.values()], {
    stdio: ['ignore', 'ignore', 'pipe'],
    cwd: scratch,
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const killer = setTimeout(() => child.kill('SIGKILL'), 15_000);
  const [code] = await once(child, 'close');
  clearTimeout(killer);
  return { code, stderr };
}

function oneLine(stderr: string): string {
  const lines = stderr.trimEnd().split('\n');
  assert.equal(lines.length, 1, `one clear line, not:\n${stderr}`);
  return lines[0] ?? '';
}
