import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { after, before, test } from 'node:test';
import { seededRandom } from '../base/random.ts';
import { systemClock } from '../server/system-clock.ts';
import { encodeFrame, type Frame } from './codec.ts';
import { frameHeaderBytes, sealFrame } from './frame.ts';
import { type Member, Members } from './testing/members.ts';
import { randomFrame } from './testing/random-frame.ts';
import { RawPeer, RawServer, switching } from './testing/raw-peer.ts';
import { SteppingClock } from './testing/stepping-clock.ts';
import { until } from './testing/until.ts';

/** Members 1 and 3 are well; whoever speaks as member 2 is not. */
let members: Members;
let a: Member;

before(async () => {
  members = await Members.stopped(['1', '2', '3'], systemClock, { frameBytesMax: 100_000, queueBytesMax: 400_000 });
  a = await members.startMember('1');
  await members.startMember('3');
  await members.allConnected();
});

after(() => members[Symbol.asyncDispose]());

test('hostile: what is no HTTP ends the connection', async () => {
  for (const bytes of [
    '\x00\x01\x02\x03\x04\r\n\r\n',
    'GET /v1/peer HTTP/9.9\r\n\r\n',
    '\x16\x03\x01\x02\x00\x01\xfc',
  ]) {
    using peer = RawPeer.connect(url());
    peer.write(bytes);
    await peer.closed();
    assert.match(peer.http, /^HTTP\/1.1 400 Bad Request\r\n.*application\/problem\+json/s);
  }
  await assertUnharmed();
});

test('hostile: headers without end are not collected', async () => {
  using peer = RawPeer.connect(url());
  peer.write(`GET /v1/peer HTTP/1.1\r\nX: ${'x'.repeat(20_000)}`);
  await peer.closed();
  await assertUnharmed();
});

test('hostile: what is no frame ends the connection', async () => {
  await checkAfterUpgrade(Buffer.alloc(100, 0xff));
  await checkAfterUpgrade(Buffer.alloc(100));
  await checkAfterHello(Buffer.alloc(100, 0xff));
  await checkAfterHello(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
});

test('hostile: a frame longer than a hello before the hello, longer than the limit after it', async () => {
  await checkAfterUpgrade(headerOf(4097));
  await checkAfterHello(headerOf(100_001));
});

test('hostile: a frame with a wrong checksum', async () => {
  const frame = encodeFrame({ type: 'ping', timestampUs: 1 });
  frame[4] = (frame[4] ?? 0) ^ 1;
  await checkAfterHello(frame);
});

test('hostile: msgpack that would take memory or stack, with a right checksum', async () => {
  await checkAfterHello(frameOf('dd02000000'));
  await checkAfterHello(frameOf('91'.repeat(50_000)));
  await checkAfterHello(frameOf('920591dd02000000'));
  await checkAfterHello(frameOf('d40000'));
  await checkAfterHello(frameOf('81a9636f6e7374727563746f7201'));
});

test('hostile: frames that do not belong there', async () => {
  const hello: Frame = { ...helloFrame, epoch: 99 };
  await checkAfterUpgrade(encodeFrame({ type: 'messages', groupId: 0, messages: [] }));
  await checkAfterUpgrade(encodeFrame({ type: 'ping', timestampUs: 1 }));
  await checkAfterHello(encodeFrame(hello));
  await checkAfterHello(encodeFrame({ type: 'answers', answers: [] }));
  await checkAfterHello(encodeFrame({ type: 'pong', timestampUs: 1 }));
});

test('hostile: whoever takes its time to say hello is closed, and an honest peer is not kept out', async () => {
  const clock = new SteppingClock();
  await using own = await Members.stopped(['1', '2'], clock);
  const victim = await own.startMember('1');
  const [to = ''] = victim.transport.addresses();
  using silent = RawPeer.connect(to);
  using slow = RawPeer.connect(to);
  slow.write('GET /v1/pe');
  using upgraded = RawPeer.connect(to);
  await upgraded.upgrade();
  using dripping = RawPeer.connect(to);
  await dripping.upgrade();
  await until('the connections', () => !silent.socket.connecting && !slow.socket.connecting);
  for (let second = 1; second <= 4; second++) {
    await clock.pass(1000, 100);
    dripping.write(Buffer.from([0]));
    assert.deepEqual(
      [silent, slow, upgraded, dripping].map(({ isClosed }) => isClosed),
      [false, false, false, false],
    );
  }
  using honest = RawPeer.connect(to);
  await honest.hello();
  assert.equal(honest.frames[0]?.type, 'hello');
  await clock.pass(1200, 100);
  await Promise.all([silent, slow, upgraded, dripping].map((peer) => peer.closed()));
});

test('hostile: of very many silent connections the oldest give way, long before their time is up', async () => {
  await using own = await Members.stopped(['1', '2'], new SteppingClock());
  const [to = ''] = (await own.startMember('1')).transport.addresses();
  const sockets = Array.from({ length: 300 }, () => RawPeer.connect(to));
  const closed = () => sockets.filter(({ isClosed }) => isClosed).length;
  await until('some to be closed', () => closed() >= 300 - 256);
  using peer = RawPeer.connect(to);
  await peer.hello();
  assert.equal(peer.frames[0]?.type, 'hello');
  assert.ok(closed() <= 300 - 255, `${closed()} of 300 were closed`);
  for (const { socket } of sockets) socket.destroy();
});

test('hostile: requests without end: what is in flight is bounded, the rest is turned down', async () => {
  a.answer = () => new Promise(() => {});
  using peer = await greeted();
  const request = { groupId: 0, kind: 1, timeoutMs: 60_000, body: Buffer.alloc(0) };
  for (let id = 0; id < 5000; id += 50) {
    peer.send({ type: 'requests', requests: Array.from({ length: 50 }, (_, i) => ({ ...request, id: id + i })) });
  }
  const answers = () => peer.frames.flatMap((frame) => (frame.type === 'answers' ? frame.answers : []));
  await until('the answers', () => answers().length === 5000 - 4096);
  assert.ok(answers().every(({ outcome }) => outcome === 'refused'));
  a.answer = async (_from, { body }) => body;
  await assertUnharmed();
});

test('hostile: request bodies without end: their bytes are bounded too', async () => {
  a.answer = () => new Promise(() => {});
  using peer = await greeted();
  const request = { groupId: 0, kind: 1, timeoutMs: 60_000, body: Buffer.alloc(90_000) };
  for (let id = 1; id <= 10; id++) peer.send({ type: 'requests', requests: [{ ...request, id }] });
  const answers = () => peer.frames.flatMap((frame) => (frame.type === 'answers' ? frame.answers : []));
  await until('the answers', () => answers().length === 6);
  assert.deepEqual(
    answers().map(({ id, outcome }) => [id, outcome]),
    [5, 6, 7, 8, 9, 10].map((id) => [id, 'refused']),
  );
  a.answer = async (_from, { body }) => body;
  await assertUnharmed();
});

test('hostile: a peer that asks and does not read the answers', async () => {
  a.answer = async () => Buffer.alloc(90_000);
  using peer = await greeted();
  peer.socket.pause();
  const request = { groupId: 0, kind: 1, timeoutMs: 60_000, body: Buffer.alloc(0) };
  let id = 0;
  await until('the connection to be given up', () => {
    for (let i = 0; i < 5; i++) peer.send({ type: 'requests', requests: [{ ...request, id: id++ }] });
    return a
      .events('peer failed')
      .some(({ facts }) => facts['reason'] === 'the peer asks and does not read the answers');
  });
  a.answer = async (_from, { body }) => body;
  await assertUnharmed();
});

test('hostile: a server that answers the dialing member with anything', async () => {
  const greeting = encodeFrame(helloFrame);
  for (const bytes of [
    '\x00\x01\x02\x03',
    'HTTP/1.1 200 OK\r\n\r\nfor ever',
    'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    Buffer.concat([Buffer.from(switching), Buffer.alloc(64, 0xff)]),
    Buffer.concat([Buffer.from(switching), encodeFrame({ type: 'answers', answers: [] })]),
    Buffer.concat([Buffer.from(switching), greeting, Buffer.alloc(64, 0xff)]),
    Buffer.concat([Buffer.from(switching), greeting, encodeFrame({ type: 'messages', groupId: 0, messages: [] })]),
  ]) {
    await using server = await RawServer.open((peer) => peer.write(bytes));
    await using own = await Members.stopped(['1', '2'], systemClock);
    const victim = await own.startMember('1', { peers: [{ id: '2', urls: [server.url] }] });
    await until('the failure', () => victim.peer('2').reason !== undefined);
    assert.notEqual(victim.peer('2').state, 'connected');
  }
});

const seed = randomInt(2 ** 48 - 1);

test(`hostile: mutated frames on 400 connections leave everybody else alone (seed ${seed})`, async () => {
  const random = seededRandom(seed);
  const before = process.memoryUsage();
  for (let round = 0; round < 20; round++) {
    const peers = await Promise.all(Array.from({ length: 20 }, (_, i) => mutant(1000 + 20 * round + i)));
    await Promise.all(peers.map((peer) => peer.closed()));
  }
  const after = process.memoryUsage();
  const grown = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
  assert.ok(grown < 100_000_000, `memory grew by ${grown}`);
  await assertUnharmed();

  /** Sends good frames and bad ones, some before and some after the hello. */
  async function mutant(epoch: number): Promise<RawPeer> {
    const peer = RawPeer.connect(url());
    if (random.below(4) === 0) await peer.upgrade();
    else await peer.hello({ epoch });
    peer.socket.end(
      Buffer.concat([encodeFrame({ type: 'ping', timestampUs: 1 }), ...Array.from({ length: 4 }, mutated)]),
    );
    return peer;
  }

  /** Mostly with a checksum that fits, so that the damage gets past it. */
  function mutated(): Buffer {
    const bytes = Buffer.from(encodeFrame(randomFrame(random)));
    bytes[random.below(bytes.length)] = random.below(256);
    return random.below(4) > 0 ? sealFrame(bytes) : bytes;
  }
});

const helloFrame = {
  type: 'hello',
  versionMin: 1,
  versionMax: 2,
  clusterId: 'c1',
  from: '2',
  to: '1',
  bootId: 'raw',
  epoch: 1,
  software: '0.2.0',
  channel: 'main',
} as const;

function url(): string {
  return a.transport.addresses()[0] ?? '';
}

async function greeted(): Promise<RawPeer> {
  const peer = RawPeer.connect(url());
  await peer.hello();
  return peer;
}

async function checkAfterUpgrade(bytes: Buffer): Promise<void> {
  using peer = RawPeer.connect(url());
  await peer.upgrade();
  peer.write(bytes);
  await peer.closed();
  assert.deepEqual(peer.frames, []);
  await assertUnharmed();
}

async function checkAfterHello(bytes: Buffer): Promise<void> {
  const failures = a.events('peer failed').length;
  using peer = await greeted();
  peer.write(bytes);
  await peer.closed();
  assert.deepEqual(
    peer.frames.map(({ type }) => type),
    ['hello'],
  );
  assert.equal(a.events('peer failed').length, failures + 1, 'with a reason in the log');
  await assertUnharmed();
}

/** The connections between the others were not touched, and work. */
async function assertUnharmed(): Promise<void> {
  assert.deepEqual(await a.request('3', 'well?'), { outcome: 'answered', body: Buffer.from('well?') });
  assert.deepEqual(await members.get('3').request('1', 'well?'), { outcome: 'answered', body: Buffer.from('well?') });
  for (const [member, other] of [
    ['1', '3'],
    ['3', '1'],
  ] as const) {
    assert.equal(
      members
        .get(member)
        .events('peer connected')
        .filter(({ facts }) => facts['peer'] === other).length,
      1,
    );
    assert.equal(
      members
        .get(member)
        .events('peer accepted')
        .filter(({ facts }) => facts['peer'] === other).length,
      1,
    );
  }
}

function headerOf(length: number): Buffer {
  const header = Buffer.alloc(frameHeaderBytes);
  header.writeUInt32BE(length, 0);
  return header;
}

function frameOf(hex: string): Buffer {
  return sealFrame(Buffer.concat([Buffer.alloc(frameHeaderBytes), Buffer.from(hex, 'hex')]));
}
