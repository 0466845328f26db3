import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { Packr } from 'msgpackr';
import { seededRandom } from '../base/random.ts';
import { encodeEntry } from '../raft/entry-record.ts';
import type { Entry, Message } from '../raft/types.ts';
import { decodeFrame, encodeFrame, type Frame, frameItemsMax } from './codec.ts';
import { frameHeaderBytes } from './frame.ts';
import { randomFrame } from './testing/random-frame.ts';

const ends = { from: '1', to: '2' };
const seed = randomInt(2 ** 48 - 1);

test(`codec: every frame is decoded to what was encoded (seed ${seed})`, () => {
  const random = seededRandom(seed);
  for (let i = 0; i < 3000; i++) {
    const frame = randomFrame(random);
    assert.deepEqual(decode(encodeFrame(frame)), frame);
  }
});

test('codec: the layout of versions 1 and 2, byte for byte', () => {
  const entry: Entry = { term: 3, index: 8, type: 'command', data: Buffer.from('x') };
  const record = encodeEntry(entry).toString('hex');
  const ids = { clusterId: 'c', from: '1', to: '2', bootId: 'b', epoch: 5 };
  const first = { versionMin: 1, versionMax: 1, software: '0.1', channel: 'main' } as const;
  check({ type: 'hello', ...ids, ...first }, '98 01 01 01 a163 a131 a132 a162 05');
  const second = { versionMin: 1, versionMax: 2, software: '0.2.0', channel: 'bulk' } as const;
  check({ type: 'hello', ...ids, ...second }, '9a 01 01 02 a163 a131 a132 a162 05 a5302e322e30 a462756c6b');
  check({ type: 'refused', code: 'c', reason: 'r' }, '93 02 a163 a172');
  check({ type: 'ping', timestampUs: 2 ** 32 }, '92 03 cb41f0000000000000');
  check({ type: 'pong', timestampUs: 300 }, '92 04 cd012c');
  check({ type: 'requests', requests: [] }, '92 06 90');
  const request = { id: 1, groupId: 2, kind: 3, timeoutMs: 4, body: Buffer.from('y') };
  check({ type: 'requests', requests: [request] }, '92 06 91 95 01 02 03 04 c40179');
  check(
    { type: 'answers', answers: [{ id: 1, outcome: 'answered', body: Buffer.from('z') }] },
    '92 07 91 93 01 00 c4017a',
  );
  check({ type: 'answers', answers: [{ id: 1, outcome: 'failed', reason: 'r' }] }, '92 07 91 93 01 01 a172');
  check({ type: 'answers', answers: [{ id: 1, outcome: 'refused', reason: 'r' }] }, '92 07 91 93 01 02 a172');

  const [term, index] = [3, 7];
  checkMessage({ type: 'preVote', ...ends, term, lastLogIndex: 7, lastLogTerm: 2 }, '94 01 03 07 02');
  checkMessage({ type: 'preVoteResponse', ...ends, term, granted: true }, '93 02 03 c3');
  const vote = { ...ends, term, lastLogIndex: 7, lastLogTerm: 2, transfer: false };
  checkMessage({ type: 'requestVote', ...vote }, '95 03 03 07 02 c2');
  checkMessage({ type: 'requestVoteResponse', ...ends, term, granted: false }, '93 04 03 c2');
  const append = { ...ends, term, previousIndex: 7, previousTerm: 2, commit: 6, entries: [entry] };
  checkMessage({ type: 'appendEntries', ...append }, `96 05 03 07 02 06 91 c41b${record}`);
  const rejection = { accepted: false, rejectedIndex: 7, hintIndex: 4, hintTerm: 2, needsSnapshot: false } as const;
  checkMessage({ type: 'appendEntriesResponse', ...ends, term, result: rejection }, '96 06 03 c2 07 04 02');
  const plea = { ...rejection, hintIndex: 0, hintTerm: 0, needsSnapshot: true };
  checkMessage({ type: 'appendEntriesResponse', ...ends, term, result: plea }, '97 06 03 c2 07 00 00 c3');
  const acceptance = { accepted: true, matchIndex: 7 } as const;
  checkMessage({ type: 'appendEntriesResponse', ...ends, term, result: acceptance }, '94 06 03 c3 07');
  checkMessage({ type: 'heartbeat', ...ends, term, commit: 6, commitTerm: 2, readRound: 9 }, '95 07 03 06 02 09');
  checkMessage({ type: 'heartbeatResponse', ...ends, term, readRound: 9, suspectTerm: 3 }, '94 08 03 09 03');
  checkMessage({ type: 'readIndex', ...ends, term, context: 9 }, '93 09 03 09');
  checkMessage({ type: 'readIndexResponse', ...ends, term, context: 9, index }, '94 0a 03 09 07');
  checkMessage({ type: 'timeoutNow', ...ends, term }, '92 0b 03');
  checkMessage({ type: 'installSnapshot', ...ends, term, index }, '93 0c 03 07');

  function check(frame: Frame, hex: string): void {
    assert.equal(encodeFrame(frame).subarray(frameHeaderBytes).toString('hex'), hex.replaceAll(' ', ''));
    assert.deepEqual(decode(encodeFrame(frame)), frame);
  }

  function checkMessage(message: Message, hex: string): void {
    check({ type: 'messages', groupId: 0, messages: [message] }, `93 05 00 91 ${hex}`);
  }
});

test('codec: an entry arrives with its record, which is not encoded again', () => {
  const sent: Entry = { term: 1, index: 1, type: 'command', data: Buffer.from('value') };
  const append = { ...ends, term: 1, previousIndex: 0, previousTerm: 0, commit: 0, entries: [sent, sent].slice(1) };
  const frame = decode(encodeFrame({ type: 'messages', groupId: 0, messages: [{ type: 'appendEntries', ...append }] }));
  assert.ok(typeof frame !== 'string' && frame.type === 'messages');
  const [message] = frame.messages;
  assert.ok(message?.type === 'appendEntries');
  const [entry] = message.entries;
  assert.ok(entry !== undefined);
  assert.deepEqual(encodeEntry(entry), encodeEntry(sent));
  assert.equal(encodeEntry(entry).buffer, entry.data.buffer);
});

test('codec: a field that does not fit is a reason, never a value', () => {
  reason([5, 0, [[7, 1, 2, 3, 4, 5]]], 'a message of type 7 with fields that do not fit');
  reason([5, 0, [[7, 1, 2, 3]]], 'a message of type 7 with fields that do not fit');
  reason([5, 0, [[7, 1.5, 2, 3, 4]]], 'a message of type 7 with fields that do not fit');
  reason([5, 0, [[7, 2 ** 53, 2, 3, 4]]], 'a message of type 7 with fields that do not fit');
  reason([5, 0, [[7, 1e300, 2, 3, 4]]], 'a message of type 7 with fields that do not fit');
  reason([5, 0, [[7, Number.NaN, 2, 3, 4]]], 'a message of type 7 with fields that do not fit');
  reason([5, 0, [[7, '1', 2, 3, 4]]], 'a message of type 7 with fields that do not fit');
  reason([5, 0, [[2, 1, 1]]], 'a message of type 2 with fields that do not fit');
  reason([5, 0, [[6, 1, false, 2, 3, 4, 1]]], 'a message of type 6 with fields that do not fit');
  reason([5, 0, [[12, 1]]], 'a message of type 12 with fields that do not fit');
  reason([5, 0, [[13, 1]]], 'there is no message type 13');
  reason([5, 0, [['constructor', 1]]], 'there is no message type constructor');
  reason([5, 0, [[]]], 'there is no message type undefined');
  reason([5, 0, [1]], 'a message is not an array');
  reason([5, 0, 1], 'messages with fields that do not fit');
  reason([6, [[1, 2, 3, 4, 'text']]], 'a request with fields that do not fit');
  reason([7, [[1, 3, 'text']]], 'an answer with fields that do not fit');
  reason([1, 1, 1, 'c', '01', '2', 'b', 1], 'a hello with fields that do not fit');
  reason([1, 1, 1, 'c', 'A', '2', 'b', 1], 'a hello with fields that do not fit');
  reason([1, 1, 1, 'c', '12345678901234567', '2', 'b', 1], 'a hello with fields that do not fit');
  reason([1, 2, 1, 'c', '1', '2', 'b', 1], 'a hello with fields that do not fit');
  reason([1, 1, 1, 'a b', '1', '2', 'b', 1], 'a hello with fields that do not fit');
  reason([1, 1, 2, 'c', '1', '2', 'b', 1], 'a hello with fields that do not fit');
  reason([1, 1, 2, 'c', '1', '2', 'b', 1, '0.2.0', 'side'], 'a hello with fields that do not fit');
  reason([8], 'there is no frame type 8');
  reason(5, 'a frame is not an array');
});

test('codec: entries that do not follow each other, or are damaged, are a reason', () => {
  const [first, third] = [1, 3].map((index) => encodeEntry({ term: 2, index, type: 'noop', data: Buffer.alloc(0) }));
  const damaged = Buffer.from(first as Buffer);
  damaged[5] = 1;
  reason([5, 0, [[5, 2, 0, 0, 0, [first, third]]]], 'entry 3 follows index 1');
  reason([5, 0, [[5, 2, 0, 0, 0, [damaged]]]], 'the entry after index 0 is damaged');
  reason([5, 0, [[5, 2, 0, 0, 0, [1]]]], 'an entry is not a record');
  reason([5, 0, [[5, 1, 0, 0, 0, [first]]]], 'entry 1 of term 2 follows term 0 in a message of term 1');
  reason([5, 0, [[5, 4, 2, 3, 0, [third]]]], 'entry 3 of term 2 follows term 3 in a message of term 4');
  reason([5, 0, [[5, 4, 2, 5, 0, []]]], 'a message of type 5 with fields that do not fit');
});

test('codec: messages are not understood before it is known who speaks', () => {
  const frame = encodeFrame({ type: 'messages', groupId: 0, messages: [] });
  assert.equal(decodeFrame(frame.subarray(frameHeaderBytes), undefined), 'messages before the hello');
});

test('codec: a hello of a later protocol with more fields is understood as far as it goes', () => {
  const hello = new Packr({ useRecords: false }).pack([1, 2, 9, 'c', '1', '2', 'b', 1, '1.0.0', 'main', 'more', [1]]);
  const frame = decodeFrame(hello, undefined);
  assert.ok(typeof frame !== 'string' && frame.type === 'hello');
  assert.equal(frame.versionMax, 9);
});

test('codec: the reasons of a peer cannot steer a terminal', () => {
  const frame = decode(encodeFrame({ type: 'refused', code: 'c', reason: '\u001b[2Jgone\n' }));
  assert.deepEqual(frame, { type: 'refused', code: 'c', reason: '?[2Jgone?' });
});

test('codec: a frame with as many of the largest values as may share one is let through', () => {
  const most = 2 ** 53 - 1;
  const request = { id: most, groupId: most, kind: most, timeoutMs: most, body: Buffer.alloc(0) };
  for (const value of [0, most]) {
    const [term, ...rest] = [value, value, value, value];
    const [rejectedIndex = 0, hintIndex = 0, hintTerm = 0] = rest;
    const result = { accepted: false, rejectedIndex, hintIndex, hintTerm, needsSnapshot: true } as const;
    const messages = Array(frameItemsMax).fill({ type: 'appendEntriesResponse', ...ends, term, result });
    assert.equal(typeof decode(encodeFrame({ type: 'messages', groupId: 0, messages })), 'object');
  }
  for (const one of [request, { id: 0, groupId: 0, kind: 0, timeoutMs: 0, body: Buffer.alloc(0) }]) {
    const requests = Array(frameItemsMax).fill(one);
    assert.equal(typeof decode(encodeFrame({ type: 'requests', requests })), 'object');
  }
});

test(`codec: 20,000 mutated frames give a value or a reason, quickly, and little memory (seed ${seed})`, () => {
  const random = seededRandom(seed);
  const outcomes = { values: 0, reasons: 0 };
  for (let i = 0; i < 20_000; i++) {
    const body = mutate(encodeFrame(randomFrame(random)).subarray(frameHeaderBytes));
    const heapBefore = i % 100 === 0 ? process.memoryUsage() : undefined;
    const frame = decodeFrame(body, ends);
    if (heapBefore !== undefined) {
      const heap = process.memoryUsage();
      const grown = heap.heapUsed + heap.arrayBuffers - heapBefore.heapUsed - heapBefore.arrayBuffers;
      assert.ok(grown < 1_000_000 + 64 * body.length, `${grown} bytes for a body of ${body.toString('hex')}`);
    }
    if (typeof frame === 'string') outcomes.reasons++;
    else outcomes.values++;
  }
  assert.ok(outcomes.reasons > 1000 && outcomes.values > 100, JSON.stringify(outcomes));

  function mutate(bytes: Buffer): Buffer {
    const body = Buffer.from(bytes);
    for (let times = 1 + random.below(4); times > 0 && body.length > 0; times--) {
      body[random.below(body.length)] = random.below(3) === 0 ? 0x90 + random.below(0x70) : random.below(256);
    }
    return random.below(4) === 0 ? body.subarray(0, random.below(body.length + 1)) : body;
  }
});

function decode(frame: Buffer): Frame | string {
  return decodeFrame(Buffer.from(frame.subarray(frameHeaderBytes)), ends);
}

function reason(value: unknown, expected: string): void {
  assert.equal(decodeFrame(new Packr({ useRecords: false }).pack(value), ends), expected);
}
