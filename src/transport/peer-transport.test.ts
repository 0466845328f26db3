import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { seededRandom } from '../base/random.ts';
import type { Message } from '../raft/types.ts';
import { systemClock } from '../server/system-clock.ts';
import { Members } from './testing/members.ts';
import { randomMessage } from './testing/random-frame.ts';
import { SteppingClock } from './testing/stepping-clock.ts';
import { until } from './testing/until.ts';

const heartbeat = { type: 'heartbeat', from: '1', to: '2', term: 1, commit: 2, commitTerm: 0, readRound: 3 } as const;

const seed = randomInt(2 ** 48 - 1);

test(`transport: three members exchange messages of every type, in order (seed ${seed})`, async () => {
  await using members = await Members.start(['1', '2', '3'], systemClock);
  const random = seededRandom(seed);
  const ids = ['1', '2', '3'];
  const sent: Message[] = [];
  for (let i = 0; i < 600; i++) {
    const from = ids[random.below(3)] ?? '1';
    const to = ids.filter((id) => id !== from)[random.below(2)] ?? '2';
    const message = randomMessage(random, { from, to });
    // Waiting heartbeats give way to newer ones: see send-queue.test.ts.
    if (message.type === 'heartbeat') continue;
    sent.push(message);
    members.get(from).send(message);
  }
  const received = () => ids.reduce((total, id) => total + members.get(id).messages.length, 0);
  await until('all messages', () => received() === sent.length);
  for (const from of ids) {
    for (const to of ids) {
      const isTheirs = (message: Message) => message.from === from && message.to === to;
      assert.deepEqual(members.get(to).messages.filter(isTheirs), sent.filter(isTheirs), `${from} to ${to}`);
    }
  }
});

test('transport: messages of one turn and more come in few pieces, a large one comes whole', async () => {
  await using members = await Members.start(['1', '2'], systemClock);
  const data = Buffer.alloc(1_500_000, 'value');
  const entries = [{ term: 1, index: 1, type: 'command', data } as const];
  const append = { type: 'appendEntries', from: '1', to: '2', term: 1, previousIndex: 0, previousTerm: 0 } as const;
  members.get('1').send({ ...append, entries, commit: 0 }, heartbeat);
  await until('both messages', () => members.get('2').messages.length === 2);
  assert.deepEqual(members.get('2').messages, [{ ...append, entries, commit: 0 }, heartbeat]);
});

test('transport: messages reach only the group they are for', async () => {
  await using members = await Members.start(['1', '2'], systemClock);
  const ofGroup7: Message[] = [];
  members.get('2').transport.serve(7, {
    onMessages: (messages) => ofGroup7.push(...messages),
    onRequest: async () => Buffer.alloc(0),
    onUnreachable: () => {},
    onReachable: () => {},
  });
  members.get('1').transport.send(5, [heartbeat]);
  members.get('1').transport.send(7, [{ ...heartbeat, term: 7 }]);
  members.get('1').send(heartbeat);
  await until('the message to group 0', () => members.get('2').messages.length === 1);
  assert.deepEqual([members.get('2').messages, ofGroup7], [[heartbeat], [{ ...heartbeat, term: 7 }]]);
});

test('transport: peers() tells round trip, contact and address of a connected peer', async () => {
  await using members = await Members.start(['1', '2'], systemClock);
  await until('a round trip', () => members.get('1').peer('2').roundTripMs !== undefined);
  const view = members.get('1').peer('2');
  assert.equal(view.state, 'connected');
  assert.equal(view.address, members.wire('1', '2').url);
  assert.equal(view.reason, undefined);
  assert.ok((view.roundTripMs ?? Infinity) < 5000 && view.lastContactMs < 5000, JSON.stringify(view));
});

test('transport: a peer that was never there is connecting, with the reason, and no contact', async () => {
  await using members = await Members.stopped(['1', '2'], systemClock);
  const a = await members.startMember('1');
  await until('a reason', () => a.peer('2').reason !== undefined);
  const { state, reason, lastContactMs } = a.peer('2');
  assert.deepEqual([state, lastContactMs], ['connecting', Infinity]);
  assert.match(reason ?? '', /socket hang up|ECONNRESET/);
});

test('transport: to a peer that is not connected messages are dropped, and the sender is told once a turn', async () => {
  await using members = await Members.stopped(['1', '2'], systemClock);
  const a = await members.startMember('1');
  a.send(heartbeat, heartbeat);
  a.send(heartbeat);
  assert.deepEqual(a.unreachable, [], 'not from within send');
  await until('the news', () => a.unreachable.length > 0);
  assert.deepEqual(a.unreachable, ['2']);
});

test('transport: a peer that was restarted is connected again, and both directions work', async () => {
  await using members = await Members.start(['1', '2'], systemClock);
  const a = members.get('1');
  for (let round = 1; round <= 3; round++) {
    await members.stopMember('2');
    await until('the loss to be noticed', () => !a.isConnectedTo('2') && a.unreachable.includes('2'));
    a.reachable.length = 0;
    a.unreachable.length = 0;
    const b = await members.startMember('2');
    await members.allConnected();
    a.send({ ...heartbeat, term: round });
    b.send({ ...heartbeat, from: '2', to: '1', term: round });
    await until('messages both ways', () => b.messages.length === 1 && a.messages.length === round);
    a.unreachable.length = 0;
  }
  assert.equal(a.events('peer connected').length, 4);
});

test('transport: the URLs of a peer are tried in turn', async () => {
  await using members = await Members.stopped(['1', '2'], systemClock);
  const urls = ['http://127.0.0.1:1', members.wire('1', '2').url];
  const a = await members.startMember('1', { peers: [{ id: '2', urls }] });
  await members.startMember('2');
  await members.allConnected();
  assert.equal(a.peer('2').address, urls[1]);
  assert.deepEqual(a.events('peer unreachable')[0]?.facts['url'], urls[0]);
});

test('transport: a peer that is away is dialed soon at first, then about once a second, for ever', async () => {
  const clock = new SteppingClock();
  await using members = await Members.stopped(['1', '2'], clock);
  const a = await members.startMember('1');
  const wire = members.wire('1', '2');
  await clock.pass(800);
  assert.ok(wire.connections >= 4 && wire.connections <= 8, `${wire.connections} attempts in 0.8 s`);
  const before = wire.connections;
  await clock.pass(20_000);
  const attempts = wire.connections - before;
  assert.ok(attempts >= 19 && attempts <= 41, `${attempts} attempts in 20 s`);
  assert.equal(a.events('peer unreachable').length, 1, 'said once');
});

test('transport: a peer that dials is dialed back at once', async () => {
  const clock = new SteppingClock();
  await using members = await Members.stopped(['1', '2'], clock);
  const a = await members.startMember('1');
  await clock.pass(10_000);
  assert.equal(a.peer('2').state, 'connecting');
  await members.startMember('2');
  await members.allConnected();
});

test('transport: close ends everything: peers see it, requests end, nothing more can be sent', async () => {
  await using members = await Members.start(['1', '2'], systemClock);
  const [a, b] = [members.get('1'), members.get('2')];
  b.answer = () => new Promise(() => {});
  const waiting = a.request('2');
  await until('the request to arrive', () => b.requests.length === 1);
  await a.transport.close();
  await a.transport.close();
  assert.deepEqual(await waiting, { outcome: 'lost', reason: 'this member is stopping' });
  assert.deepEqual(await a.request('2'), { outcome: 'not_sent', reason: 'this member is stopping' });
  a.send(heartbeat);
  await until('the other side to notice', () => !b.isConnectedTo('1'));
  assert.deepEqual(b.messages, []);
});

test('transport: close leaves no timer, in whatever state the connections are', async () => {
  const clock = new SteppingClock();
  await using members = await Members.start(['1', '2', '3', '4'], clock);
  const a = members.get('1');
  await members.stopMember('3');
  members.wire('1', '4').blackhole();
  members.wire('1', '4').cut();
  a.request('2');
  await until('the losses to be noticed', () => !a.isConnectedTo('3') && !a.isConnectedTo('4'));
  await clock.pass(1000);
  for (const id of ['1', '2', '4']) await members.stopMember(id);
  assert.equal(clock.timers, 0);
});
