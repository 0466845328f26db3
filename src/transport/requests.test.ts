import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../server/system-clock.ts';
import { Members } from './testing/members.ts';
import { until } from './testing/until.ts';

test('request: answered, with the bytes and the question as they were sent', async () => {
  await using members = await Members.start(['1', '2'], systemClock);
  const b = members.get('2');
  b.answer = async (from, { groupId, kind, body, timeoutMs }) =>
    Buffer.from(JSON.stringify([from, groupId, kind, Buffer.from(body).toString(), timeoutMs]));
  const answer = await members.get('1').request('2', 'question', 1234);
  assert.ok(answer.outcome === 'answered');
  assert.equal(Buffer.from(answer.body).toString(), '["1",0,1,"question",1234]');
});

test('request: a thousand of one turn, answered in any order, each with its own answer', async () => {
  await using members = await Members.start(['1', '2'], systemClock);
  const waiting: (() => void)[] = [];
  members.get('2').answer = (_from, { body }) => new Promise((resolve) => waiting.push(() => resolve(body)));
  const answers = Array.from({ length: 1000 }, (_, i) => members.get('1').request('2', `question ${i}`));
  await until('all questions', () => waiting.length === 1000);
  for (const answer of waiting.reverse()) answer();
  for (const [i, answer] of (await Promise.all(answers)).entries()) {
    assert.deepEqual(answer, { outcome: 'answered', body: Buffer.from(`question ${i}`) });
  }
});

test('request: large bodies go both ways', async () => {
  await using members = await Members.start(['1', '2'], systemClock);
  const body = Buffer.alloc(3_000_000, 'large');
  assert.deepEqual(await members.get('1').request('2', body), { outcome: 'answered', body });
});

test('request: not sent: the peer is unknown, or not connected', async () => {
  await using members = await Members.start(['1', '2'], systemClock);
  const a = members.get('1');
  assert.deepEqual(await a.request('9'), { outcome: 'not_sent', reason: 'member 9 is not a peer of this member' });
  await members.stopMember('2');
  await until('the loss to be noticed', () => !a.isConnectedTo('2'));
  const answer = await a.request('2');
  assert.ok(answer.outcome === 'not_sent');
  assert.match(answer.reason, /^no connection to member 2: /);
});

test('request: not sent: it is still in the queue when the connection breaks', async () => {
  await using members = await Members.start(['1', '2'], systemClock);
  const answer = members.get('1').request('2');
  // The requests of a turn leave at its end: none of its bytes are out yet.
  members.get('1').transport.close();
  assert.deepEqual(await answer, { outcome: 'not_sent', reason: 'this member is stopping' });
  assert.deepEqual(members.get('2').requests, []);
});

test('request: not sent: it fits into no frame, or not into the queue', async () => {
  await using members = await Members.start(['1', '2'], systemClock, {
    frameBytesMax: 100_000,
    queueBytesMax: 250_000,
  });
  const a = members.get('1');
  const reason = 'a request of 100000 bytes fits into no frame';
  assert.deepEqual(await a.request('2', Buffer.alloc(100_000)), { outcome: 'not_sent', reason });
  const answers = await Promise.all(Array.from({ length: 4 }, () => a.request('2', Buffer.alloc(80_000))));
  const outcomes = answers.map(({ outcome }) => outcome);
  assert.deepEqual(outcomes, ['answered', 'answered', 'answered', 'not_sent']);
});

test('request: not sent: nobody serves that group there', async () => {
  await using members = await Members.start(['1', '2'], systemClock);
  const request = { groupId: 5, kind: 1, body: Buffer.alloc(0), timeoutMs: 1000 };
  const answer = await members.get('1').transport.request('2', request);
  assert.deepEqual(answer, { outcome: 'not_sent', reason: 'the member does not serve group 5' });
});

test('request: lost: the connection was cut after it had arrived', async () => {
  await using members = await Members.start(['1', '2'], systemClock);
  const b = members.get('2');
  b.answer = () => new Promise(() => {});
  const answer = members.get('1').request('2');
  await until('the request to arrive', () => b.requests.length === 1);
  members.wire('1', '2').cut();
  assert.equal((await answer).outcome, 'lost');
});

test('request: lost: no answer came in time; a late one is nobody’s', async () => {
  await using members = await Members.start(['1', '2'], systemClock);
  const [a, b] = [members.get('1'), members.get('2')];
  const late: (() => void)[] = [];
  b.answer = (_from, { body }) => new Promise((resolve) => late.push(() => resolve(body)));
  assert.deepEqual(await a.request('2', 'slow', 30), { outcome: 'lost', reason: 'no answer came in time' });
  for (const answer of late) answer();
  b.answer = async (_from, { body }) => body;
  assert.deepEqual(await a.request('2', 'next'), { outcome: 'answered', body: Buffer.from('next') });
});

test('request: lost: the handler failed, at once or later', async () => {
  await using members = await Members.start(['1', '2'], systemClock);
  const b = members.get('2');
  b.answer = () => {
    throw new Error('broken at once');
  };
  assert.deepEqual(await members.get('1').request('2'), { outcome: 'lost', reason: 'broken at once' });
  b.answer = async () => {
    throw new Error('broken later');
  };
  assert.deepEqual(await members.get('1').request('2'), { outcome: 'lost', reason: 'broken later' });
});

test('request: lost: the answer fits into no frame', async () => {
  await using members = await Members.start(['1', '2'], systemClock, { frameBytesMax: 10_000 });
  members.get('2').answer = async () => Buffer.alloc(10_000);
  const reason = 'the answer of 10000 bytes fits into no frame';
  assert.deepEqual(await members.get('1').request('2'), { outcome: 'lost', reason });
});

test('request: so many may wait for an answer, and not more', async () => {
  await using members = await Members.start(['1', '2'], systemClock);
  const waiting: (() => void)[] = [];
  members.get('2').answer = (_from, { body }) => new Promise((resolve) => waiting.push(() => resolve(body)));
  const answers = Array.from({ length: 4096 }, () => members.get('1').request('2'));
  const reason = 'too many requests to the member wait for an answer';
  assert.deepEqual(await members.get('1').request('2'), { outcome: 'not_sent', reason });
  await until('all to arrive', () => waiting.length === 4096);
  for (const answer of waiting) answer();
  assert.ok((await Promise.all(answers)).every(({ outcome }) => outcome === 'answered'));
});
