import type { Random } from '../../../src/base/random.ts';
import { encodeCommand } from '../../../src/mvcc/command.ts';
import { randomCommand } from '../../../src/mvcc/testing/random-commands.ts';
import type { Entry, Message } from '../../../src/raft/types.ts';
import { encodeFrame, type Frame, type Hello, type WireRequest } from '../../../src/transport/codec.ts';
import { frameHeaderBytes, sealFrame } from '../../../src/transport/frame.ts';
import { randomFrame } from '../../../src/transport/testing/random-frame.ts';
import { interestingNumbers, mutate, oneIn, pick, randomBytes, randomLength } from '../engine/mutate.ts';

/** Who speaks to whom, and about which group. */
export interface Speaker {
  readonly clusterId: string;
  readonly from: string;
  readonly to: string;
  readonly groupId: number;
  /** One message in so many has a term far from the others', which ends what those can do to a member for good. */
  readonly oddTermOneIn: number;
  /** False where entries are applied: a leader's command that cannot be read stops a member, as it must. */
  readonly hasForeignEntries: boolean;
}

/** The bytes of one to six frames, most of them with something wrong that only shows far inside. */
export function strayFrames(random: Random, speaker: Speaker): Buffer {
  return Buffer.concat(Array.from({ length: 1 + random.below(6) }, () => strayFrame(random, speaker)));
}

export function helloBytes(random: Random, { clusterId, from, to }: Speaker): Buffer {
  const hello: Hello = {
    type: 'hello',
    versionMin: 1,
    versionMax: 1 + random.below(3),
    clusterId,
    from,
    to,
    bootId: `b${random.below(3)}`,
    epoch: random.below(2 ** 32),
    software: `0.${random.below(3)}.0`,
    channel: oneIn(random, 3) ? 'bulk' : 'main',
  };
  if (!oneIn(random, 10)) return encodeFrame(hello);
  return oneIn(random, 2) ? resealed(random, encodeFrame(hello)) : mutate(random, encodeFrame(hello), Buffer.alloc(0));
}

function strayFrame(random: Random, speaker: Speaker): Buffer {
  switch (random.below(8)) {
    case 0:
    case 1:
    case 2:
      return encodeFrame(plausibleFrame(random, speaker));
    case 3:
    case 4:
      return resealed(
        random,
        encodeFrame(oneIn(random, 2) ? plausibleFrame(random, speaker) : foreignFrame(random, speaker)),
      );
    case 5:
      return frameOf(anyValue(random, 0));
    case 6:
      return lyingFrame(random, encodeFrame(plausibleFrame(random, speaker)));
    default:
      return mutate(random, encodeFrame(foreignFrame(random, speaker)), encodeFrame(randomFrame(random)));
  }
}

/** Any that a member may send, about any group, with numbers of any size. */
function foreignFrame(random: Random, speaker: Speaker): Frame {
  const frame = randomFrame(random);
  return speaker.hasForeignEntries || frame.type !== 'messages' ? frame : plausibleFrame(random, speaker);
}

/** Small numbers, because those meet a log that is there. */
function plausibleFrame(random: Random, speaker: Speaker): Frame {
  const groupId = oneIn(random, 20) ? random.below(9) : speaker.groupId;
  switch (random.below(6)) {
    case 0:
      return { type: 'ping', timestampUs: random.below(2 ** 32) };
    case 1: {
      const requests = Array.from({ length: random.below(4) }, () => plausibleRequest(random, groupId));
      return { type: 'requests', requests };
    }
    default: {
      const messages = Array.from({ length: 1 + random.below(5) }, () => plausibleMessage(random, speaker));
      return { type: 'messages', groupId, messages };
    }
  }
}

/** Kinds as `peerRequestKinds` has them, and others. */
function plausibleRequest(random: Random, groupId: number): WireRequest {
  const command = encodeCommand(randomCommand(random, 9));
  const whole = Buffer.concat([Buffer.from([0, 0, random.below(20), 1]), command]);
  const body = oneIn(random, 3) ? mutate(random, whole, command) : whole;
  return { id: random.below(1000), groupId, kind: 1 + random.below(4), timeoutMs: random.below(200), body };
}

function plausibleMessage(random: Random, { from, to, oddTermOneIn }: Speaker): Message {
  const ends = { from, to };
  const any = () => (oneIn(random, 40) ? Math.max(0, pick(random, interestingNumbers) % 2 ** 53) : random.below(8));
  const flag = () => oneIn(random, 2);
  const term = oneIn(random, oddTermOneIn) ? pick(random, oddTerms) : 1 + random.below(6);
  switch (random.below(16)) {
    case 0:
      return { type: 'preVote', ...ends, term, lastLogIndex: any(), lastLogTerm: any() };
    case 1:
      return { type: 'preVoteResponse', ...ends, term, granted: flag() };
    case 2:
      return { type: 'requestVote', ...ends, term, lastLogIndex: any(), lastLogTerm: any(), transfer: flag() };
    case 3:
      return { type: 'requestVoteResponse', ...ends, term, granted: flag() };
    case 4:
      return { type: 'appendEntriesResponse', ...ends, term, result: { accepted: true, matchIndex: any() } };
    case 5: {
      const rejection = { rejectedIndex: any(), hintIndex: any(), hintTerm: any(), needsSnapshot: flag() };
      const result = { accepted: false, ...rejection } as const;
      return { type: 'appendEntriesResponse', ...ends, term, result };
    }
    case 6:
      return { type: 'heartbeat', ...ends, term, commit: any(), commitTerm: any(), readRound: any() };
    case 7:
      return { type: 'heartbeatResponse', ...ends, term, readRound: any(), suspectTerm: any() };
    case 8:
      return { type: 'readIndex', ...ends, term, context: any() };
    case 9:
      return { type: 'readIndexResponse', ...ends, term, context: any(), index: any() };
    case 10:
      return { type: 'timeoutNow', ...ends, term };
    case 11:
      return { type: 'installSnapshot', ...ends, term, index: any() };
    default: {
      const previousIndex = any();
      const previousTerm = previousIndex === 0 ? 0 : 1 + random.below(Math.max(1, term));
      const entries = plausibleEntries(random, previousIndex, Math.max(1, previousTerm), Math.max(1, term));
      return { type: 'appendEntries', ...ends, term, previousIndex, previousTerm, entries, commit: any() };
    }
  }
}

const oddTerms = [0, 2 ** 31, 2 ** 32, 2 ** 50, 2 ** 50 + 1, 2 ** 53 - 1];

function plausibleEntries(random: Random, previousIndex: number, firstTerm: number, lastTerm: number): Entry[] {
  let term = Math.min(firstTerm, lastTerm);
  return Array.from({ length: random.below(5) }, (_, i) => {
    if (term < lastTerm && oneIn(random, 3)) term++;
    const type = oneIn(random, 4) ? 'noop' : 'command';
    const data = type === 'noop' ? Buffer.alloc(0) : encodeCommand(randomCommand(random, 9));
    return {
      term,
      index: Math.max(1, Math.min(previousIndex, 2 ** 52)) + (previousIndex === 0 ? i : 1 + i),
      type,
      data,
    };
  });
}

/** Damage that its checksum does not tell of. */
function resealed(random: Random, frame: Buffer): Buffer {
  const body = mutate(random, frame.subarray(frameHeaderBytes), randomBytes(random, 8));
  return frameOf(body);
}

/** A length that is not the body's. */
function lyingFrame(random: Random, frame: Buffer): Buffer {
  const lying = Buffer.from(frame);
  const number = pick(random, interestingNumbers);
  const length = oneIn(random, 2) ? frame.length - frameHeaderBytes + random.below(5) - 2 : number;
  lying.writeUInt32BE(Math.min(2 ** 32 - 1, Math.max(0, length)), 0);
  return lying;
}

function frameOf(body: Buffer): Buffer {
  return sealFrame(Buffer.concat([Buffer.alloc(frameHeaderBytes), body]));
}

/** Any msgpack value, of kinds that frames hold or not, with lengths that lie now and then. */
function anyValue(random: Random, depth: number): Buffer {
  const lie = (true_: number) => (oneIn(random, 12) ? Math.abs(pick(random, interestingNumbers)) : true_);
  const values = (count: number) => Array.from({ length: count }, () => anyValue(random, depth + 1));
  // A deep value is a narrow one, or there would be no end of it.
  const length = depth < 2 ? random.below(6) : random.below(2);
  const isLeaf = depth > 12 || oneIn(random, 3);
  if (!isLeaf) {
    const isMap = oneIn(random, 6);
    const items = values(isMap ? 2 * length : length);
    return Buffer.concat([containerHead(random, lie(length), isMap), ...items]);
  }
  switch (random.below(9)) {
    case 0:
      return Buffer.of(random.below(0x80));
    case 1:
      return Buffer.of(pick(random, [0xc0, 0xc2, 0xc3, 0xc1, 0xe0, 0xff]));
    case 2:
      return Buffer.concat([Buffer.of(pick(random, [0xca, 0xcb, 0xcc, 0xcd, 0xce, 0xcf])), randomBytes(random, 8)]);
    case 3:
      return Buffer.concat([Buffer.of(pick(random, [0xd0, 0xd1, 0xd2, 0xd3])), randomBytes(random, 8)]);
    case 4:
      return Buffer.concat([
        Buffer.of(pick(random, [0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xc7, 0xc8])),
        randomBytes(random, 9),
      ]);
    case 5: {
      const text = randomBytes(random, random.below(32));
      return Buffer.concat([Buffer.of(0xa0 + (lie(text.length) & 31)), text]);
    }
    case 6: {
      const text = randomBytes(random, randomLength(random, 2000));
      return Buffer.concat([sizedHead(random, [0xd9, 0xda, 0xdb], lie(text.length)), text]);
    }
    default: {
      const bytes = randomBytes(random, randomLength(random, 300));
      return Buffer.concat([sizedHead(random, [0xc4, 0xc5, 0xc6], lie(bytes.length)), bytes]);
    }
  }
}

function containerHead(random: Random, length: number, isMap: boolean): Buffer {
  if (length < 16 && !oneIn(random, 4)) return Buffer.of((isMap ? 0x80 : 0x90) + length);
  return sizedHead(random, isMap ? [0xde, 0xde, 0xdf] : [0xdc, 0xdc, 0xdd], length, 2);
}

/** Tokens for lengths of one, two and four bytes. */
function sizedHead(random: Random, tokens: readonly [number, number, number], length: number, least = 1): Buffer {
  const width = least === 2 ? pick(random, [2, 4]) : pick(random, [1, 2, 4]);
  const head = Buffer.alloc(1 + width);
  head[0] = tokens[width === 4 ? 2 : width - 1] ?? 0;
  head.writeUIntBE(length % 256 ** width, 1, width);
  return head;
}
