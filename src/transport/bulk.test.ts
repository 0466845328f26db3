import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../server/system-clock.ts';
import { type Member, Members } from './testing/members.ts';
import { helloOf2, RawServer, switching } from './testing/raw-peer.ts';
import { SteppingClock } from './testing/stepping-clock.ts';
import { until } from './testing/until.ts';
import type { PeerAnswer } from './transport.ts';

test('bulk: the first request opens a second connection, the next ones share it, idleness ends it', async () => {
  const clock = new SteppingClock();
  await using members = await Members.start(['1', '2'], clock);
  const [a, wire] = [members.get('1'), members.wire('1', '2')];
  const answers = await Promise.all([bulk(a, 'one'), bulk(a, 'two')]);
  assert.deepEqual(answers.map(textOf), ['one', 'two']);
  assert.deepEqual(textOf(await bulk(a, 'three')), 'three');
  assert.equal(wire.connections, 2);

  const left = () => members.get('2').events('peer left');
  await clock.pass(11_000, 100);
  assert.deepEqual(
    left().map(({ facts }) => facts['channel']),
    ['bulk'],
  );
  assert.ok(a.isConnectedTo('2'));
  assert.deepEqual(textOf(await bulk(a, 'again')), 'again');
  assert.equal(wire.connections, 3);
});

test('bulk: large answers do not delay what goes over the first connection', async () => {
  await using members = await Members.start(['1', '2'], systemClock);
  const [a, b] = [members.get('1'), members.get('2')];
  const piece = Buffer.alloc(3_000_000, 'large');
  b.answer = async (_from, { body }) => (body.length > 0 ? piece : Buffer.from('small'));
  await bulk(a, 'open');
  const wire = members.wire('1', '2');
  wire.standNewest();
  const large = bulk(a, 'large');
  assert.deepEqual(textOf(await a.request('2')), 'small');
  wire.heal();
  const answer = await large;
  assert.ok(answer.outcome === 'answered' && piece.equals(answer.body));
});

test('bulk: not sent: nobody there, or the second connection is refused; lost: it breaks', async () => {
  await using members = await Members.start(['1', '2'], systemClock);
  const [a, b, wire] = [members.get('1'), members.get('2'), members.wire('1', '2')];
  assert.equal((await bulk(a, 'open')).outcome, 'answered');
  b.answer = () => new Promise(() => {});
  const asked = bulk(a, 'slow');
  await until('it to arrive', () => b.requests.length === 2);
  wire.cut();
  assert.equal((await asked).outcome, 'lost');

  await members.stopMember('2');
  await until('the loss to be noticed', () => !a.isConnectedTo('2'));
  const answer = await bulk(a, 'nobody');
  assert.ok(answer.outcome === 'not_sent');
  assert.match(answer.reason, /^no connection to member 2: /);
});

test('bulk: not sent: its time is over while the second connection does not come', async () => {
  let connections = 0;
  await using server = await RawServer.open((peer) => {
    connections++;
    if (connections > 1) return;
    peer.write(switching);
    peer.send(helloOf2);
  });
  await using members = await Members.stopped(['1', '2'], systemClock);
  const a = await members.startMember('1', { peers: [{ id: '2', urls: [server.url] }] });
  await until('the first connection', () => a.isConnectedTo('2'));
  const answer = await bulk(a, 'x', 50);
  assert.deepEqual(answer, { outcome: 'not_sent', reason: 'the time was up before it could be sent' });
});

test('bulk: a member of version 1 of the protocol is not asked, and not offered a snapshot', async () => {
  await using server = await RawServer.open((peer) => {
    peer.write(switching);
    peer.send({ ...helloOf2, versionMax: 1, software: '0.1' });
  });
  await using members = await Members.stopped(['1', '2'], systemClock);
  const options = { peers: [{ id: '2', urls: [server.url] }], clusterVersion: () => '0.1' };
  const a = await members.startMember('1', options);
  await until('the connection', () => a.isConnectedTo('2'));
  const reason = 'member 2 runs an older version, which has no second connection: upgrade it';
  assert.deepEqual(await bulk(a, 'x'), { outcome: 'not_sent', reason });
  assert.equal(server.peers.length, 1);
  a.send({ type: 'installSnapshot', from: '1', to: '2', term: 1, index: 1 });
  await until('the loss to be told', () => a.unreachable.includes('2'));
  a.send({ type: 'timeoutNow', from: '1', to: '2', term: 1 });
  const sent = () => server.peers[0]?.frames.filter(({ type }) => type === 'messages') ?? [];
  await until('a message that it knows', () => sent().length > 0);
  assert.equal(JSON.stringify(sent()).includes('installSnapshot'), false);
});

function bulk(member: Member, body: string, timeoutMs = 5000): Promise<PeerAnswer> {
  const request = { groupId: 0, kind: 1, body: Buffer.from(body), timeoutMs, channel: 'bulk' as const };
  return member.transport.request('2', request);
}

function textOf(answer: PeerAnswer): string {
  return answer.outcome === 'answered' ? Buffer.from(answer.body).toString() : answer.reason;
}
