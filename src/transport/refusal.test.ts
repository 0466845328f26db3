import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../server/system-clock.ts';
import type { Hello } from './codec.ts';
import { type Member, Members } from './testing/members.ts';
import { helloOf2, RawPeer, RawServer, switching } from './testing/raw-peer.ts';
import { until } from './testing/until.ts';

test('refused: a member of another cluster; both sides say so, once, and keep trying', async () => {
  await using members = await Members.stopped(['1', '2'], systemClock);
  const a = await members.startMember('1');
  const b = await members.startMember('2', { clusterId: 'c2' });
  const reason =
    'member 2 belongs to cluster c2, member 1 to c1: compare --initial-cluster and --initial-cluster-token of both';
  await until('the refusal', () => a.peer('2').state === 'refused');
  await until('another attempt', () => members.wire('1', '2').connections > 2);
  assert.deepEqual([a.peer('2').state, a.peer('2').reason], ['refused', reason]);
  assert.deepEqual(
    a.events('peer refused').map(({ facts }) => facts['reason']),
    [reason],
  );
  assert.deepEqual(
    b.events('peer turned away').map(({ facts }) => facts['reason']),
    [reason],
  );
  assert.deepEqual(a.events('peer connected'), []);
});

test('refused: a member that is not in the configuration', async () => {
  await using members = await Members.stopped(['1', '2'], systemClock);
  const a = await members.startMember('1');
  const b = await members.startMember('2', { peers: [] });
  await until('the refusal', () => a.peer('2').state === 'refused');
  assert.match(
    a.peer('2').reason ?? '',
    /^member 2 knows no member 1 in this cluster: it may not have heard yet that it was added/,
  );
  assert.equal(b.events('peer turned away').length, 1);
});

test('refused: a URL that leads to another member', async () => {
  await using members = await Members.stopped(['1', '2', '3'], systemClock);
  const a = await members.startMember('1');
  const c = await members.startMember('3');
  members.wire('1', '2').leadTo(c.transport.addresses()[0] ?? '');
  await until('the refusal', () => a.peer('2').state === 'refused');
  assert.match(a.peer('2').reason ?? '', /^member 2 was expected here, but this is member 3: check the peer URLs/);
});

test('refused: a URL that leads back to the member itself', async () => {
  await using members = await Members.stopped(['1', '2'], systemClock);
  const a = await members.startMember('1');
  members.wire('1', '2').leadTo(a.transport.addresses()[0] ?? '');
  await until('the refusal', () => a.peer('2').state === 'refused');
  assert.match(a.peer('2').reason ?? '', /^both sides are member 1: /);
});

test('refused: a second process of one member, for as long as the first one lives', async () => {
  await using members = await Members.start(['1', '2'], systemClock);
  const [a, first] = [members.get('1'), members.get('2')];
  const twin = await members.startMember('2');
  await using _ = { [Symbol.asyncDispose]: () => first.transport.close() };
  await until('the refusal', () => twin.peer('1').state === 'refused');
  assert.match(twin.peer('1').reason ?? '', /^member 2 is connected from another process already: two members run /);
  assert.equal(a.events('peer turned away')[0]?.facts['code'], 'duplicate_member');
  assert.ok(first.isConnectedTo('1'));

  await first.transport.close();
  await until('the twin to be let in', () => twin.isConnectedTo('1'));
});

test('refused: no common protocol version, in a hello that both sides understand', async () => {
  await check(
    { versionMin: 3, versionMax: 4 },
    'no_common_version',
    /speaks the peer protocol versions 1 to 2, member 2 3 to 4/,
  );
  await using members = await Members.stopped(['1', '2'], systemClock);
  const a = await members.startMember('1', { clusterVersion: () => '0.1' });
  using newer = await connect(a, { versionMin: 1, versionMax: 3 });
  assert.equal(newer.frames[0]?.type, 'hello');
  using older = await connect(a, { versionMax: 1, software: '0.1', epoch: 2 });
  assert.equal(older.frames[0]?.type, 'hello');
});

test('refused: an older connection that arrives after a newer one of the same process', async () => {
  await using members = await Members.stopped(['1', '2'], systemClock);
  const a = await members.startMember('1');
  using newer = await connect(a, { epoch: 7 });
  assert.equal(newer.frames[0]?.type, 'hello');
  using older = await connect(a, { epoch: 6 });
  assert.deepEqual(older.frames[0]?.type === 'refused' && older.frames[0].code, 'superseded');
  using newest = await connect(a, { epoch: 8 });
  assert.equal(newest.frames[0]?.type, 'hello');
  await newer.closed();
});

test('refused: by the member that dialed: whoever answers is not who was dialed', async () => {
  const stranger: Hello = { ...helloOf2, from: '3' };
  await using server = await RawServer.open((peer) => {
    peer.write(switching);
    peer.send(stranger);
  });
  await using members = await Members.stopped(['1', '2', '3'], systemClock);
  const peers = [
    { id: '2', urls: [server.url] },
    { id: '3', urls: ['http://127.0.0.1:1'] },
  ];
  const a = await members.startMember('1', { peers });
  await until('the refusal', () => a.peer('2').state === 'refused');
  assert.equal(a.peer('2').reason, 'member 2 was dialed and member 3 answered: check the peer URLs');
  await until('the stranger to be told', () => server.peers[0]?.frames.at(-1)?.type === 'refused');
});

test('refused: whoever answers is no peer port', async () => {
  await using server = await RawServer.open((peer) => {
    peer.write('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n');
  });
  await using members = await Members.stopped(['1', '2'], systemClock);
  const a = await members.startMember('1', { peers: [{ id: '2', urls: [server.url] }] });
  await until('the refusal', () => a.peer('2').state === 'refused');
  assert.equal(a.peer('2').reason, `the server at ${server.url} answered 404: is that the peer URL of a member?`);
});

async function check(differences: Partial<Hello>, code: string, reason: RegExp): Promise<void> {
  await using members = await Members.stopped(['1', '2'], systemClock);
  const a = await members.startMember('1');
  using peer = await connect(a, differences);
  const [frame] = peer.frames;
  assert.ok(frame?.type === 'refused');
  assert.equal(frame.code, code);
  assert.match(frame.reason, reason);
  await peer.closed();
}

async function connect(to: Member, differences: Partial<Hello>): Promise<RawPeer> {
  const peer = RawPeer.connect(to.transport.addresses()[0] ?? '');
  await peer.hello(differences);
  return peer;
}
