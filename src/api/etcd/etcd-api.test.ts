import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type BalsaNode, open } from '../../server/open.ts';
import { prefixBytes, setPrefix } from './grpc/frames.ts';
import { encode } from './proto/binary.ts';
import { HealthCheckRequest, HealthCheckResponse } from './proto/messages/health.ts';
import * as kv from './proto/messages/kv.ts';
import * as leases from './proto/messages/lease.ts';
import { LeaderRequest, LeaderResponse, LockRequest, LockResponse } from './proto/messages/lock.ts';
import * as maintenance from './proto/messages/maintenance.ts';
import * as watches from './proto/messages/watch.ts';
import { CallFailed, GrpcClient } from './testing/grpc-client.ts';

const rangeTypes = [kv.RangeRequest, kv.RangeResponse] as const;
const putTypes = [kv.PutRequest, kv.PutResponse] as const;
const watchTypes = [watches.WatchRequest, watches.WatchResponse] as const;
const snapshotPath = '/etcdserverpb.Maintenance/Snapshot';
const snapshotTypes = [maintenance.SnapshotRequest, maintenance.SnapshotResponse] as const;
const [rangePath, putPath, watchPath] = ['/etcdserverpb.KV/Range', '/etcdserverpb.KV/Put', '/etcdserverpb.Watch/Watch'];

let node: BalsaNode;
let dataDir: string;
let client: GrpcClient;
let url: string;

before(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'balsa-etcd-api-'));
  const anyPort = ['http://127.0.0.1:0'];
  node = await open({ dataDir, listenClientUrls: anyPort, listenPeerUrls: anyPort });
  await node.ready;
  url = node.clientUrls[0] ?? '';
  client = new GrpcClient(url);
});

after(async () => {
  client.close();
  await node.stop();
  await rm(dataDir, { recursive: true });
});

const key = (text: string) => Buffer.from(text);
const put = (name: string, value: string | Buffer = 'v') =>
  client.unary(putPath, putTypes, { key: key(name), value: Buffer.from(value) });

test('grpc: the version is plain numbers, and at least that from which on Kubernetes asks for progress', async () => {
  const status = await client.unary(
    '/etcdserverpb.Maintenance/Status',
    [maintenance.StatusRequest, maintenance.StatusResponse],
    {},
  );
  assert.match(status.version, /^\d+\.\d+\.\d+$/);
  const [major = 0, minor = 0] = status.version.split('.').map(Number);
  assert.ok(major > 3 || (major === 3 && minor >= 6));
  assert.equal(status.leader, BigInt(`0x${node.memberId}`));
  const versions = (await (await fetch(`${url}/version`)).json()) as { etcdserver: string; etcdcluster: string };
  assert.equal(versions.etcdserver, status.version);
  assert.match(versions.etcdcluster, /^\d+\.\d+\.0$/);
});

test('grpc: the health of the whole server', async () => {
  const types = [HealthCheckRequest, HealthCheckResponse] as const;
  assert.equal((await client.unary('/grpc.health.v1.Health/Check', types, { service: '' })).status, 1);
});

test('grpc: methods and services that are not there, and content that is not gRPC', async () => {
  await assert.rejects(
    client.unary('/etcdserverpb.KV/Nope', rangeTypes, {}),
    failure(12, /^unknown method Nope for service etcdserverpb.KV$/),
  );
  await assert.rejects(client.unary('/nope.Nope/Nope', rangeTypes, {}), failure(12, /^unknown service nope.Nope$/));
  const stream = client.session.request({ ':method': 'GET', ':path': '/version' });
  stream.on('error', () => undefined);
  const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
  assert.equal(headers[':status'], 415);
  stream.close();
});

test('grpc: sort options that do not exist (a target such as that ends etcd 3.4)', async () => {
  const range = { key: key('a'), rangeEnd: key('z') };
  for (const wrong of [{ sortOrder: 9 }, { sortTarget: 9 }, { sortTarget: -1 }]) {
    await assert.rejects(
      client.unary(rangePath, rangeTypes, { ...range, ...wrong }),
      failure(3, /^etcdserver: invalid sort option$/),
    );
  }
});

test('grpc: messages that are malformed, compressed, too large, too many or cut short', async () => {
  const send = async (bytes: Buffer, end = true): Promise<{ status: string; text: string }> => {
    const stream = client.raw(rangePath);
    stream.on('error', () => undefined);
    stream.write(bytes);
    if (end) stream.end();
    const [headers] = (await once(stream, 'response')) as [Record<string, string>];
    stream.close();
    return { status: headers['grpc-status'] ?? '', text: decodeURIComponent(headers['grpc-message'] ?? '') };
  };
  const framed = (hex: string) => Buffer.concat([Buffer.from([0, 0, 0, 0, hex.length / 2]), Buffer.from(hex, 'hex')]);
  assert.deepEqual(await send(framed('0aff')), {
    status: '13',
    text: 'grpc: error unmarshalling request: premature EOF',
  });
  assert.equal((await send(Buffer.from([1, 0, 0, 0, 0]))).status, '12');
  // Refused by its length, before a byte of it is there.
  assert.match(
    (await send(Buffer.from([0, 0xff, 0xff, 0xff, 0xff]), false)).text,
    /^grpc: received message larger than max \(4294967295 vs. 2097152\)$/,
  );
  assert.equal((await send(Buffer.concat([framed('0a0161'), framed('0a0161')]))).status, '13');
  assert.equal((await send(framed('0a0161').subarray(0, 6))).status, '13');
  assert.equal((await send(Buffer.alloc(0))).status, '13');
});

test('grpc: a request that is larger than allowed, with a value that is not', async () => {
  await assert.rejects(put('large', Buffer.alloc(1_572_864)), failure(3, /^etcdserver: request is too large$/));
});

test('grpc: a range of many megabytes in one answer, and as a stream', async () => {
  for (let i = 0; i < 8; i++) await put(`big/${i}`, Buffer.alloc(1_000_000, i));
  const range = { key: key('big/'), rangeEnd: key('big0') };
  const whole = await client.unary(rangePath, rangeTypes, range);
  assert.deepEqual([whole.kvs.length, whole.count, whole.more], [8, 8n, false]);
  const stream = client.stream('/etcdserverpb.KV/RangeStream', [kv.RangeRequest, kv.RangeStreamResponse]);
  stream.end(range);
  const parts = (await stream.all()).map(({ rangeResponse }) => rangeResponse);
  assert.ok(parts.length > 2, 'in parts');
  assert.equal(parts.flatMap((part) => part?.kvs ?? []).length, 8);
  assert.deepEqual([parts.at(-1)?.count, parts.at(-1)?.header?.revision], [8n, whole.header?.revision]);
  assert.equal(parts[0]?.header, undefined);
});

test('grpc: many ranges without a limit at the same time (all but four were refused)', async () => {
  for (let i = 0; i < 50; i++) await put(`many/${i}`);
  const range = { key: key('many/'), rangeEnd: key('many0') };
  const answers = await Promise.all(Array.from({ length: 50 }, () => client.unary(rangePath, rangeTypes, range)));
  for (const { kvs, count } of answers) assert.deepEqual([kvs.length, count], [50, 50n]);
});

test('grpc: a lock is not granted to a lease that has ended while it waited (etcd#11456)', async () => {
  const grant = (id: number) =>
    client.unary('/etcdserverpb.Lease/LeaseGrant', [leases.LeaseGrantRequest, leases.LeaseGrantResponse], {
      id,
      ttl: 100,
    });
  const revoke = (id: number) =>
    client.unary('/etcdserverpb.Lease/LeaseRevoke', [leases.LeaseRevokeRequest, leases.LeaseRevokeResponse], { id });
  const lock = (lease: number) => {
    const stream = client.stream('/v3lockpb.Lock/Lock', [LockRequest, LockResponse]);
    stream.end({ name: key('fenced'), lease });
    return stream;
  };
  for (const id of [101, 102, 103]) await grant(id);
  const [held] = await lock(101).all();
  assert.equal(Buffer.from(held?.key ?? []).toString(), 'fenced/65');
  const dead = lock(102);
  await eventually(async () => (await client.unary(rangePath, rangeTypes, { key: key('fenced/66') })).count === 1n);
  const canceled = lock(103);
  await eventually(async () => (await client.unary(rangePath, rangeTypes, { key: key('fenced/67') })).count === 1n);
  canceled.cancel();
  await eventually(async () => (await client.unary(rangePath, rangeTypes, { key: key('fenced/67') })).count === 0n);
  await revoke(102);
  await revoke(101);
  await assert.rejects(dead.all(), failure(2, /session is expired/));
});

test('grpc: an observer sees each leader and what it proclaims', async () => {
  const observer = client.stream('/v3electionpb.Election/Observe', [LeaderRequest, LeaderResponse]);
  observer.end({ name: key('crown') });
  await put('crown/1', 'first');
  await observer.until((seen) => seen.length === 1);
  await put('crown/2', 'waits');
  await put('crown/1', 'says');
  const seen = await observer.until((all) => all.length === 2);
  assert.deepEqual(
    seen.map(({ kv: leader }) => Buffer.from(leader?.value ?? []).toString()),
    ['first', 'says'],
  );
  observer.cancel();
});

test('watch: fragments of what is too large for one response', async () => {
  const stream = client.stream(watchPath, watchTypes);
  stream.send({ createRequest: { key: key('f/'), rangeEnd: key('f0'), fragment: true, prevKv: true } });
  await stream.until((all) => all.length === 1);
  const value = Buffer.alloc(700_000, 1);
  const success = [1, 2].map((i) => ({ requestPut: { key: key(`f/${i}`), value } }));
  const txnTypes = [kv.TxnRequest, kv.TxnResponse] as const;
  await client.unary('/etcdserverpb.KV/Txn', txnTypes, { success });
  await client.unary('/etcdserverpb.KV/Txn', txnTypes, { success });
  const all = await stream.until((received) => received.flatMap(({ events }) => events).length === 4);
  const second = all.slice(2);
  assert.deepEqual(
    second.map(({ fragment, events }) => [fragment, events.length]),
    [
      [true, 1],
      [false, 1],
    ],
  );
  stream.cancel();
});

test('watch: progress is told when it is asked for, and never ahead of an event', async () => {
  const stream = client.stream(watchPath, watchTypes);
  stream.send({ createRequest: { key: key('p/'), rangeEnd: key('p0') } });
  await stream.until((all) => all.length === 1);
  for (let round = 1; round <= 20; round++) {
    const { header } = await put('p/a', `${round}`);
    stream.send({ progressRequest: {} });
    const all = await stream.until((received) => received.filter(({ watchId }) => watchId === -1n).length === round);
    const at = all.findLastIndex(({ watchId }) => watchId === -1n);
    assert.ok((all[at]?.header?.revision ?? 0n) >= (header?.revision ?? 0n));
    const told = all
      .slice(0, at)
      .flatMap(({ events }) => events)
      .at(-1)?.kv?.modRevision;
    assert.equal(told, header?.revision);
  }
  stream.cancel();
});

test('watch: 1,000 watchers on one stream, 1,000 streams, and one whose reader stops', {
  timeout: 30_000,
}, async () => {
  const one = client.stream(watchPath, watchTypes);
  for (let i = 0; i < 1000; i++) one.send({ createRequest: { key: key('many') } });
  await one.until((all) => all.length === 1000);
  const streams = Array.from({ length: 1000 }, () => client.stream(watchPath, watchTypes));
  for (const stream of streams) stream.send({ createRequest: { key: key('many') } });
  await Promise.all(streams.map((stream) => stream.until((all) => all.length === 1)));
  const stopped = new GrpcClient(url);
  const slow = stopped.stream(watchPath, watchTypes);
  for (let i = 0; i < 10; i++) slow.send({ createRequest: { key: key('stopped') } });
  await slow.until((all) => all.length === 10);
  slow.raw.pause();
  await put('many');
  for (let i = 0; i < 40; i++) await put('stopped', Buffer.alloc(200_000, i));
  await one.until((all) => all.length === 2000);
  await Promise.all(streams.map((stream) => stream.until((all) => all.length === 2)));
  slow.raw.resume();
  const all = await slow.until((received) => received.length === 10 + 10 * 40);
  for (let watcher = 0n; watcher < 10n; watcher++) {
    const told = all
      .filter(({ watchId, events }) => watchId === watcher && events.length > 0)
      .map(({ events }) => events[0]?.kv?.version);
    assert.deepEqual(
      told,
      Array.from({ length: 40 }, (_, i) => BigInt(i + 1)),
    );
  }
  stopped.close();
  for (const stream of streams) stream.cancel();
  one.cancel();
});

test('grpc: thousands of calls that are canceled at any time leave nothing behind', { timeout: 30_000 }, async () => {
  const sockets = () => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
  const before = sockets();
  // Who cancels a thousand calls at once loses the connection: it looks like an attack (CVE-2023-44487).
  let other = new GrpcClient(url);
  let connections = 1;
  for (let i = 0; i < 3000; i++) {
    if (other.session.destroyed || other.session.closed) {
      other = new GrpcClient(url);
      connections++;
    }
    const raw = other.raw(i % 3 === 0 ? watchPath : rangePath);
    raw.on('error', () => undefined);
    const request =
      i % 3 === 0
        ? encode(watches.WatchRequest, { createRequest: { key: key(`c/${i}`) } }, prefixBytes)
        : encode(kv.RangeRequest, { key: key(`c/${i}`) }, prefixBytes);
    raw.write(setPrefix(request));
    if (i % 2 === 0) setImmediate(() => raw.close(8));
    else raw.close(8);
    if (i % 50 === 0) await delay(1);
  }
  other.close();
  await eventually(async () => sockets() <= before);
  assert.ok(connections > 1 && connections < 10, `${connections} connections`);
  client.close();
  client = new GrpcClient(url);
  assert.equal((await client.unary(rangePath, rangeTypes, { key: key('c/1') })).count, 0n);
});

test('grpc: calls that are canceled before their request has come count as ended (they stayed under way for ever)', async () => {
  const other = new GrpcClient(url);
  const half = Buffer.from([0, 0, 0, 0, 3, 0x0a]);
  const streams = [rangePath, putPath, watchPath, rangePath].map((path) => other.raw(path));
  for (const stream of streams) stream.write(half);
  const calls = () => metric('balsa_grpc_calls');
  await eventually(async () => (await calls()) === 4);
  streams[0]?.close(8);
  await eventually(async () => (await calls()) === 3);
  streams[1]?.end();
  await eventually(async () => (await calls()) === 2);
  const connections = await metric('balsa_grpc_connections');
  other.close();
  await eventually(async () => (await calls()) === 0);
  assert.equal(await metric('balsa_grpc_connections'), connections - 1);
});

test('grpc: streams that are canceled before their first answer close what they read (four such snapshots were the last)', async () => {
  for (let i = 0; i < 20; i++) await put(`open/${i}`, Buffer.alloc(10_000));
  const other = new GrpcClient(url);
  for (let i = 0; i < 50; i++) {
    const range = other.stream('/etcdserverpb.KV/RangeStream', [kv.RangeRequest, kv.RangeStreamResponse]);
    range.end({ key: key('open/'), rangeEnd: key('open0') });
    const snapshot = other.stream(snapshotPath, snapshotTypes);
    snapshot.end({});
    // At all the moments from before they are read on.
    await delay(i % 5);
    range.cancel();
    snapshot.cancel();
  }
  await eventually(async () => (await metric('balsa_open_views')) + (await metric('balsa_open_exports')) === 0);
  const whole = other.stream(snapshotPath, snapshotTypes);
  whole.end({});
  assert.equal((await whole.all()).at(-1)?.remainingBytes, 0n);
  other.close();
});

test('client port: garbage, half a preface, and a preface without more', async () => {
  for (const bytes of [
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\ngarbage garbage garbage',
    'PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n',
    'PRI * HTTP/1.1\r\n\r\n',
  ]) {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.end(bytes);
    socket.resume();
    await once(socket, 'close');
  }
  assert.equal((await fetch(`${url}/livez`)).status, 200);
});

test('client port: a request whose first letter comes alone (it kept the event loop turning)', async () => {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.write('P');
  await delay(20);
  socket.write('RI');
  assert.equal((await fetch(`${url}/livez`)).status, 200);
  socket.end('NT / HTTP/1.1\r\nhost: x\r\n\r\n');
  const [answer] = (await once(socket, 'data')) as [Buffer];
  assert.match(answer.toString(), /^HTTP\/1\.1 4/);
  socket.destroy();
});

function failure(code: number, text: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof CallFailed && error.code === code && text.test(error.message);
}

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
}

async function eventually(condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error('it never came true');
    await delay(10);
  }
}
