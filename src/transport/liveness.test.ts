import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../server/system-clock.ts';
import { Members } from './testing/members.ts';
import { SteppingClock } from './testing/stepping-clock.ts';
import { until } from './testing/until.ts';

const heartbeat = { type: 'heartbeat', from: '1', to: '2', term: 1, commit: 2, commitTerm: 0, readRound: 3 } as const;

test('liveness: idle connections stay, however long', async () => {
  const clock = new SteppingClock();
  await using members = await Members.start(['1', '2'], clock);
  await clock.pass(10_000, 100);
  assertUndisturbed(members);
  assert.ok(members.get('1').peer('2').lastContactMs <= 100);
});

test('liveness: a wire that silently loses everything is noticed on both sides within a second', async () => {
  const clock = new SteppingClock();
  await using members = await Members.start(['1', '2'], clock);
  const [a, b] = [members.get('1'), members.get('2')];
  await clock.pass(1000);
  members.wire('1', '2').blackhole();
  await clock.pass(500);
  assert.ok(a.isConnectedTo('2'), 'three heartbeats are not enough: a peer may collect garbage');
  await clock.pass(500);
  assert.equal(a.peer('2').state, 'connecting');
  assert.deepEqual(a.unreachable, ['2']);
  assert.match(String(a.events('peer disconnected')[0]?.facts['reason']), /^no answer for \d+ ms$/);
  assert.match(String(b.events('peer left')[0]?.facts['reason']), /^nothing came for \d+ ms$/);
  assert.ok(b.isConnectedTo('1'), 'the other direction has a wire of its own');

  members.wire('1', '2').heal();
  await clock.pass(5000);
  await members.allConnected();
});

test('liveness: when the whole process stood still nobody is taken for dead', async () => {
  const clock = new SteppingClock();
  await using members = await Members.start(['1', '2'], clock);
  for (const ms of [300, 1000, 5000, 60_000]) {
    // What the other one says when it wakes up takes its time to arrive.
    members.wire('1', '2').stand();
    clock.leap(ms);
    await clock.pass(200);
    members.wire('1', '2').heal();
    await clock.pass(1000);
  }
  assertUndisturbed(members);
});

test('liveness: a peer that is dead when the process wakes up is noticed within a second from there', async () => {
  const clock = new SteppingClock();
  await using members = await Members.start(['1', '2'], clock);
  members.wire('1', '2').blackhole();
  clock.leap(60_000);
  await clock.pass(1000);
  assert.equal(members.get('1').peer('2').state, 'connecting');
});

test('liveness: a peer that takes much, slowly, is not dead', async () => {
  const clock = new SteppingClock();
  await using members = await Members.start(['1', '2'], clock, { queueBytesMax: 64 * 1024 * 1024 });
  const [a, b] = [members.get('1'), members.get('2')];
  const wire = members.wire('1', '2');
  const count = 40;
  for (let index = 1; index <= count; index++) a.send(append(index, 1_000_000));
  // Half a second of standing still in turn with a moment of flowing: most of the time a ping is unanswered.
  for (let round = 0; b.messages.length < count; round++) {
    assert.ok(round < 1000, `${b.messages.length} messages arrived`);
    wire.stand();
    await clock.pass(500, 50);
    wire.heal();
    await clock.pass(50);
  }
  assertUndisturbed(members);
});

test('slow peer: what waits for it is bounded, the sender is told, and it goes on when the peer does', async () => {
  const options = { heartbeatMs: 100_000, queueBytesMax: 1_000_000 };
  await using members = await Members.start(['1', '2'], systemClock, options);
  const [a, b] = [members.get('1'), members.get('2')];
  members.wire('1', '2').stand();
  let sent = 0;
  let queuedBytesMost = 0;
  const before = process.memoryUsage().arrayBuffers;
  for (; sent < 4000 || a.unreachable.length === 0; sent++) {
    a.send(append(sent + 1, 10_000));
    await new Promise((resolve) => setImmediate(resolve));
    queuedBytesMost = Math.max(queuedBytesMost, a.peer('2').queuedBytes);
  }
  const grown = process.memoryUsage().arrayBuffers - before;
  assert.ok(queuedBytesMost <= 1_000_000 + 256 * 1024, `${queuedBytesMost} bytes were queued`);
  assert.ok(grown < 30_000_000, `memory grew by ${grown} for ${sent} messages of 10,000 bytes`);
  assert.ok(a.unreachable.length < sent, 'told once a turn');
  const reason = 'the time was up before it could be sent';
  assert.deepEqual(await a.request('2', '', 30), { outcome: 'not_sent', reason });
  a.send(heartbeat, { ...heartbeat, commit: 9 });

  members.wire('1', '2').heal();
  await until('the newest heartbeat, which found its place in the full queue', () => {
    const last = b.messages.at(-1);
    return last?.type === 'heartbeat' && last.commit === 9;
  });
  assert.ok(b.messages.length < sent, 'the rest was dropped');
  assert.equal(b.messages.filter(({ type }) => type === 'heartbeat').length, 1);
  assert.equal((await a.request('2')).outcome, 'answered');
  assert.equal(b.requests.length, 1, 'the request whose time was up did not arrive after all');
  assert.equal(a.events('peer disconnected').length, 0);
});

test('slow peer: one that stops reading for too long is dropped, and back when it reads again', async () => {
  const clock = new SteppingClock();
  await using members = await Members.start(['1', '2'], clock, { queueBytesMax: 1_000_000 });
  const a = members.get('1');
  members.wire('1', '2').stand();
  await clock.pass(1000);
  assert.ok(!a.isConnectedTo('2'));
  members.wire('1', '2').heal();
  await clock.pass(5000);
  await members.allConnected();
});

function append(index: number, bytes: number) {
  const entries = [{ term: 1, index, type: 'command', data: Buffer.alloc(bytes) } as const];
  const [previousIndex, previousTerm] = [index - 1, Math.min(1, index - 1)];
  return {
    type: 'appendEntries',
    from: '1',
    to: '2',
    term: 1,
    previousIndex,
    previousTerm,
    commit: 0,
    entries,
  } as const;
}

function assertUndisturbed(members: Members): void {
  for (const id of ['1', '2']) {
    const member = members.get(id);
    assert.deepEqual(member.unreachable, [], JSON.stringify(member.log));
    assert.equal(member.events('peer connected').length, 1);
    assert.equal(member.events('peer accepted').length, 1);
  }
}
