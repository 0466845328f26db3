import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Message } from '../raft/types.ts';
import { decodeFrame, type Frame, type WireRequest } from './codec.ts';
import { frameHeaderBytes } from './frame.ts';
import { SendQueue } from './send-queue.ts';

const ends = { from: '1', to: '2' };
const limits = { bytesMax: 1_000_000, frameBytesMax: 400_000 };

test('queue: messages leave in their order, those of one group in one frame', () => {
  const queue = new SendQueue(limits);
  for (const round of [1, 2]) queue.addMessage(0, answer(round));
  queue.addMessage(7, answer(3));
  queue.addMessage(0, answer(4));
  check(queue, [
    { type: 'messages', groupId: 0, messages: [answer(1), answer(2)] },
    { type: 'messages', groupId: 7, messages: [answer(3)] },
    { type: 'messages', groupId: 0, messages: [answer(4)] },
  ]);
  check(queue, []);
  assert.equal(queue.bytes, 0);
});

test('queue: requests follow the messages', () => {
  const queue = new SendQueue(limits);
  queue.addRequest(request(1));
  queue.addMessage(0, answer(1));
  const taken = check(queue, [
    { type: 'messages', groupId: 0, messages: [answer(1)] },
    { type: 'requests', requests: [request(1)] },
  ]);
  assert.deepEqual(taken, [1]);
});

test('queue: a request that nobody waits for any more does not leave', () => {
  const queue = new SendQueue(limits);
  for (const id of [1, 2, 3]) queue.addRequest(request(id));
  queue.removeRequest(2);
  queue.removeRequest(9);
  assert.deepEqual(check(queue, [{ type: 'requests', requests: [request(1), request(3)] }]), [1, 3]);
  assert.equal(queue.bytes, 0);
});

test('queue: of each group the newest heartbeat waits, and an older one gives way to it', () => {
  const queue = new SendQueue(limits);
  queue.addMessage(0, heartbeat(1));
  queue.addMessage(7, heartbeat(1));
  queue.addMessage(0, heartbeat(2));
  check(queue, [
    { type: 'messages', groupId: 0, messages: [heartbeat(2)] },
    { type: 'messages', groupId: 7, messages: [heartbeat(1)] },
  ]);
  queue.addMessage(0, heartbeat(3));
  check(queue, [{ type: 'messages', groupId: 0, messages: [heartbeat(3)] }]);
});

test('queue: when it is full a heartbeat is taken, and nothing else', () => {
  const queue = new SendQueue(limits);
  let taken = 0;
  while (queue.addMessage(0, append(100_000)) === 'queued') taken++;
  assert.equal(taken, 9);
  assert.equal(queue.addRequest(request(1, 200_000)), 'full');
  assert.equal(queue.addMessage(0, heartbeat(1)), 'queued');
  assert.equal(queue.addMessage(0, heartbeat(2)), 'queued');
  assert.ok(queue.bytes <= limits.bytesMax + 100);
});

test('queue: what fits into no frame is not taken', () => {
  const queue = new SendQueue(limits);
  assert.equal(queue.addMessage(0, append(400_000)), 'too_large');
  assert.equal(queue.addRequest(request(1, 400_000)), 'too_large');
  assert.equal(queue.addMessage(0, append(399_000)), 'queued');
  const [frame] = queue.take(() => {});
  assert.ok(frame !== undefined && frame.length - frameHeaderBytes <= limits.frameBytesMax);
});

test('queue: one write takes about so much of each kind; the rest follows in the next ones', () => {
  const queue = new SendQueue(limits);
  for (let i = 0; i < 8; i++) queue.addMessage(0, append(100_000));
  const sizes: number[] = [];
  for (let frames = queue.take(() => {}); frames.length > 0; frames = queue.take(() => {})) {
    sizes.push(frames.reduce((total, frame) => total + frame.length, 0));
  }
  assert.equal(sizes.length, 4);
  assert.ok(
    sizes.every((bytes) => bytes < 210_000),
    String(sizes),
  );
});

test('queue: very many small messages are cut into frames that the receiver lets through', () => {
  const queue = new SendQueue(limits);
  for (let round = 0; round < 1000; round++) queue.addMessage(0, answer(round));
  const messages: Message[] = [];
  for (const frame of queue.take(() => {}).map(decode)) {
    assert.ok(typeof frame !== 'string' && frame.type === 'messages', String(frame));
    messages.push(...frame.messages);
  }
  assert.deepEqual(
    messages,
    Array.from({ length: 1000 }, (_, round) => answer(round)),
  );
});

function check(queue: SendQueue, expected: readonly Frame[]): number[] {
  const taken: number[] = [];
  assert.deepEqual(queue.take((id) => taken.push(id)).map(decode), expected);
  return taken;
}

function decode(frame: Buffer): Frame | string {
  return decodeFrame(Buffer.from(frame.subarray(frameHeaderBytes)), ends);
}

function answer(readRound: number): Message {
  return { type: 'heartbeatResponse', ...ends, term: 1, readRound, suspectTerm: 0 };
}

function heartbeat(readRound: number): Message {
  return { type: 'heartbeat', ...ends, term: 1, commit: 0, commitTerm: 0, readRound };
}

function append(bytes: number): Message {
  const entries = [{ term: 1, index: 1, type: 'command', data: Buffer.alloc(bytes) } as const];
  return { type: 'appendEntries', ...ends, term: 1, previousIndex: 0, previousTerm: 0, commit: 0, entries };
}

function request(id: number, bytes = 1): WireRequest {
  return { id, groupId: 0, kind: 1, timeoutMs: 5, body: Buffer.alloc(bytes) };
}
