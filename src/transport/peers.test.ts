import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../server/system-clock.ts';
import { type Member, Members } from './testing/members.ts';
import { RawPeer } from './testing/raw-peer.ts';
import { until } from './testing/until.ts';
import type { Peer, Refusal } from './transport.ts';

const none: ReadonlySet<string> = new Set();

test('peers: one that is added is connected in both directions; what was there is not touched', async () => {
  await using members = await Members.stopped(['1', '2', '3'], systemClock);
  const [a, b] = [await startWith(members, '1', ['2']), await startWith(members, '2', ['1'])];
  await until('the first two', () => a.isConnectedTo('2') && b.isConnectedTo('1'));
  const c = await startWith(members, '3', ['1', '2']);
  await until('the refusal', () => c.peer('1').state === 'refused');

  for (const member of [a, b]) member.transport.setPeers(peersOf(members, member, ['1', '2', '3']), none);
  await until('all', () => [a, b].every((one) => one.isConnectedTo('3') && c.isConnectedTo(one.id)));
  assert.deepEqual(connectionsBetween(members, ['1', '2']), [1, 1]);
  assert.deepEqual((await a.request('3', 'welcome')).outcome, 'answered');
});

test('peers: a removed one is told at once, on both sides, and for good', async () => {
  const refusals: Refusal[] = [];
  await using members = await Members.stopped(['1', '2', '3'], systemClock);
  const [a, b] = [await members.startMember('1'), await members.startMember('2')];
  const c = await members.startMember('3', { onRefused: (refusal) => refusals.push(refusal) });
  await members.allConnected();
  for (const member of [a, b]) member.transport.setPeers(peersOf(members, member, ['1', '2']), new Set(['3']));
  await until('both have said so', () => new Set(refusals.map(({ by }) => by)).size === 2);
  assert.deepEqual(new Set(refusals.map(({ code }) => code)), new Set(['removed']));
  assert.match(refusals[0]?.reason ?? '', /^member 3 was removed from the cluster, and an id never comes back: /);
  await until('it to be told again', () => refusals.length > 4);
  assert.equal(c.peer('1').state, 'refused');
  assert.deepEqual(
    a.transport.peers().map(({ id }) => id),
    ['2'],
  );
  assert.deepEqual(await a.request('3'), { outcome: 'not_sent', reason: 'member 3 is not a peer of this member' });
  assert.deepEqual(connectionsBetween(members, ['1', '2']), [1, 1]);
});

test('peers: requests to one that is dropped end, and nothing more is sent to it', async () => {
  await using members = await Members.start(['1', '2'], systemClock);
  const [a, b] = [members.get('1'), members.get('2')];
  b.answer = () => new Promise(() => {});
  const waiting = a.request('2');
  await until('it to arrive', () => b.requests.length === 1);
  a.transport.setPeers([], none);
  assert.deepEqual(await waiting, { outcome: 'lost', reason: 'member 2 is no peer of this member any more' });
  a.send({ type: 'timeoutNow', from: '1', to: '2', term: 1 });
  await until('the loss to be told', () => a.unreachable.includes('2'));
  assert.deepEqual(b.messages, []);
});

test('peers: an address that changes is dialed at once; a connection that is open stays', async () => {
  await using members = await Members.stopped(['1', '2'], systemClock);
  const b = await members.startMember('2');
  const nowhere = [{ id: '2', urls: ['http://127.0.0.1:1'] }];
  const a = await members.startMember('1', { peers: nowhere });
  await until('the failure', () => a.peer('2').reason !== undefined);
  a.transport.setPeers(peersOf(members, a, ['2']), none);
  await until('the connection', () => a.isConnectedTo('2'));
  const { address } = a.peer('2');
  a.transport.setPeers(nowhere, none);
  assert.deepEqual([a.peer('2').state, a.peer('2').address], ['connected', address]);
  members.wire('1', '2').cut();
  await until('the new address to be tried', () => a.peer('2').address === 'http://127.0.0.1:1');
  assert.ok(b.transport.addresses().length > 0);
});

test('peers: a URL out of the log that cannot be dialed harms nobody', async () => {
  await using members = await Members.start(['1', '2'], systemClock);
  const a = members.get('1');
  for (const urls of [[], ['there'], ['https://127.0.0.1:2380']]) {
    a.transport.setPeers([...peersOf(members, a, ['2']), { id: '9', urls }], none);
    await until('the reason', () => a.peer('9').reason !== undefined);
    assert.equal(a.peer('9').state, 'refused');
    assert.match(a.peer('9').reason ?? '', /^member 9 cannot be dialed at .*: http:\/\/host:port is needed$/);
    a.transport.setPeers(peersOf(members, a, ['2']), none);
  }
  assert.ok(a.isConnectedTo('2'));
});

test('peers: whoever runs software from before the agreed version is refused, and comes in when it is newer', async () => {
  const refusals: Refusal[] = [];
  await using members = await Members.stopped(['1', '2'], systemClock);
  await members.startMember('1', { clusterVersion: () => '0.2' });
  const old = { softwareVersion: '0.1.9', onRefused: (refusal: Refusal) => refusals.push(refusal) };
  const b = await members.startMember('2', { ...old, clusterVersion: () => '0.1' });
  await until('the refusal', () => b.peer('1').state === 'refused');
  await until('it to be told', () => refusals.length > 0);
  assert.equal(refusals[0]?.code, 'version_too_old');
  assert.match(b.peer('1').reason ?? '', /^the cluster has agreed on version 0\.2, and member 2 runs 0\.1\.9, /);
  await members.stopMember('2');
  await members.startMember('2', { softwareVersion: '0.2.0' });
  await members.allConnected();
});

test('peers: a member that was away takes in one that was added meanwhile, and answers it', async () => {
  await using members = await Members.stopped(['1', '2'], systemClock);
  const away = await members.startMember('1', { peers: [] });
  const added = await members.startMember('2', { advertisedUrls: () => [members.wire('1', '2').url] });
  const isKnown = ({ id, state }: { id: string; state: string }): boolean => id === '2' && state === 'connected';
  await until('the connections', () => added.isConnectedTo('1') && away.transport.peers().some(isKnown));
  assert.equal((await away.request('2', 'who leads?')).outcome, 'answered');
  // It stays while the store still says nothing of it, and is an ordinary peer as soon as it does.
  away.transport.setPeers([], none);
  assert.equal(away.isConnectedTo('2'), true);
  away.transport.setPeers(peersOf(members, away, ['2']), none);
  away.transport.setPeers([], none);
  await until('the refusal', () => added.peer('1').state === 'refused');
});

test('peers: one that was removed is not let in by introducing itself', async () => {
  await using members = await Members.stopped(['1', '2'], systemClock);
  await members.startMember('1', { peers: [], removed: new Set(['2']) });
  const gone = await members.startMember('2', { advertisedUrls: () => [members.wire('1', '2').url] });
  await until('the refusal', () => gone.peer('1').state === 'refused');
  assert.match(gone.peer('1').reason ?? '', /^member 2 was removed from the cluster/);
});

test('peers: whoever makes up members does not fill the list of peers', async () => {
  await using members = await Members.stopped(['1', '2'], systemClock);
  const one = await members.startMember('1', { peers: [] });
  const url = one.transport.addresses()[0] ?? '';
  for (let id = 100; id < 130; id++) {
    using peer = RawPeer.connect(url);
    await peer.hello({ from: String(id), bootId: `raw${id}`, peerUrls: ['http://127.0.0.1:1'] });
  }
  assert.equal(one.transport.peers().length, 16);
});

async function startWith(members: Members, id: string, ids: readonly string[]): Promise<Member> {
  const peers = ids.map((peer) => ({ id: peer, urls: [members.wire(id, peer).url] }));
  return members.startMember(id, { peers });
}

function peersOf(members: Members, member: Member, ids: readonly string[]): readonly Peer[] {
  const others = ids.filter((id) => id !== member.id);
  return others.map((id) => ({ id, urls: [members.wire(member.id, id).url] }));
}

function connectionsBetween(members: Members, [one, other]: readonly [string, string]): readonly number[] {
  return [members.wire(one, other).connections, members.wire(other, one).connections];
}
