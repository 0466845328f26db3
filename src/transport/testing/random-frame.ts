import type { Random } from '../../base/random.ts';
import type { Entry, Message } from '../../raft/types.ts';
import type { Frame, WireAnswer, WireRequest } from '../codec.ts';

/** Any frame that a well-behaved member may send, from the chance it is given. */
export function randomFrame(random: Random): Frame {
  const frames: (() => Frame)[] = [
    () => ({
      type: 'hello',
      versionMin: random.below(3),
      versionMax: 3 + random.below(300),
      clusterId: name(random),
      from: memberId(random),
      to: memberId(random),
      bootId: name(random),
      epoch: count(random),
      software: name(random),
      channel: pick(random, ['main', 'bulk'] as const),
    }),
    () => ({ type: 'refused', code: name(random), reason: `because of ${name(random)} – für immer` }),
    () => ({ type: random.below(2) === 0 ? 'ping' : 'pong', timestampUs: count(random) }),
    () => ({ type: 'messages', groupId: count(random), messages: list(random, 20, () => randomMessage(random)) }),
    () => ({ type: 'requests', requests: list(random, 20, () => request(random)) }),
    () => ({ type: 'answers', answers: list(random, 20, () => answer(random)) }),
  ];
  return pick(random, frames)();
}

export function randomMessage(random: Random, ends = { from: '1', to: '2' }): Message {
  const term = 1 + count(random, 2 ** 53 - 2);
  const any = () => count(random);
  const flag = () => random.below(2) === 0;
  const messages: (() => Message)[] = [
    () => ({ type: 'preVote', ...ends, term, lastLogIndex: any(), lastLogTerm: any() }),
    () => ({ type: 'preVoteResponse', ...ends, term, granted: flag() }),
    () => ({ type: 'requestVote', ...ends, term, lastLogIndex: any(), lastLogTerm: any(), transfer: flag() }),
    () => ({ type: 'requestVoteResponse', ...ends, term, granted: flag() }),
    () => ({ type: 'appendEntries', ...ends, term, commit: any(), ...randomEntries(random, term) }),
    () => ({ type: 'appendEntriesResponse', ...ends, term, result: { accepted: true, matchIndex: any() } }),
    () => ({
      type: 'appendEntriesResponse',
      ...ends,
      term,
      result: { accepted: false, rejectedIndex: any(), hintIndex: any(), hintTerm: any(), needsSnapshot: flag() },
    }),
    () => ({ type: 'heartbeat', ...ends, term, commit: any(), commitTerm: 0, readRound: any() }),
    () => ({ type: 'heartbeatResponse', ...ends, term, readRound: any(), suspectTerm: 0 }),
    () => ({ type: 'readIndex', ...ends, term, context: any() }),
    () => ({ type: 'readIndexResponse', ...ends, term, context: any(), index: any() }),
    () => ({ type: 'timeoutNow', ...ends, term }),
    () => ({ type: 'installSnapshot', ...ends, term, index: any() }),
  ];
  return pick(random, messages)();
}

function randomEntries(random: Random, term: number) {
  const previousIndex = count(random, 2 ** 53 - 20);
  const previousTerm = count(random, term + 1);
  let entryTerm = Math.max(1, previousTerm);
  const entries: Entry[] = list(random, 10, (i) => {
    entryTerm += count(random, term - entryTerm + 1);
    const type = pick(random, ['noop', 'command', 'configuration'] as const);
    const data = type === 'noop' ? Buffer.alloc(0) : bytes(random);
    return { term: entryTerm, index: previousIndex + 1 + i, type, data };
  });
  return { previousIndex, previousTerm, entries };
}

function request(random: Random): WireRequest {
  const [id, groupId, kind, timeoutMs] = [count(random), count(random), count(random), count(random)];
  return { id, groupId, kind, timeoutMs, body: bytes(random) };
}

function answer(random: Random): WireAnswer {
  const id = count(random);
  if (random.below(2) === 0) return { id, outcome: 'answered', body: bytes(random) };
  return { id, outcome: pick(random, ['failed', 'refused'] as const), reason: name(random) };
}

/** Of every magnitude, and the ends of the range. */
function count(random: Random, bound: number = 2 ** 53): number {
  const exact = Math.floor((random.below(2 ** 32) / 2 ** 32) * 2 ** random.below(54));
  return Math.min(bound - 1, random.below(20) === 0 ? 2 ** 53 - 1 : exact);
}

function bytes(random: Random): Buffer {
  const length = random.below(4) === 0 ? random.below(2000) : random.below(40);
  const result = Buffer.alloc(length);
  for (let at = 0; at < length; at++) result[at] = random.below(256);
  return result;
}

function memberId(random: Random): string {
  return (1 + random.below(2 ** 32 - 1)).toString(16) + (random.below(2) === 0 ? '' : '0a');
}

function name(random: Random): string {
  return Array.from({ length: 1 + random.below(64) }, () => String.fromCharCode(0x21 + random.below(94))).join('');
}

function list<T>(random: Random, lengthMax: number, make: (i: number) => T): T[] {
  return Array.from({ length: random.below(lengthMax + 1) }, (_, i) => make(i));
}

function pick<T>(random: Random, choices: readonly T[]): T {
  return choices[random.below(choices.length)] as T;
}
