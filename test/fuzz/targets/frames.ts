import assert from 'node:assert/strict';
import type { Random } from '../../../src/base/random.ts';
import { LoneCore } from '../../../src/raft/testing/core.ts';
import { decodeFrame, encodeFrame, type Frame } from '../../../src/transport/codec.ts';
import { FrameReader, frameHeaderBytes } from '../../../src/transport/frame.ts';
import { type Identity, objectionTo } from '../../../src/transport/handshake.ts';
import type { Ends } from '../../../src/transport/message-codec.ts';
import { oneIn } from '../engine/mutate.ts';
import type { Input, OpenTarget, Target } from '../engine/target.ts';
import { randomOf } from './decoders.ts';
import { helloBytes, type Speaker, strayFrames } from './stray-frames.ts';

export const framesTarget: Target = {
  name: 'frames',
  about: "a peer's byte stream, cut anywhere → frame reader, decoder, handshake, Raft core",
  weight: 1.5,
  where: 'here',
  open: async () => openTarget,
};

const speaker: Speaker = {
  clusterId: 'c1',
  from: '2',
  to: '1',
  groupId: 1,
  oddTermOneIn: 100,
  hasForeignEntries: true,
};
const self: Identity = {
  clusterId: 'c1',
  memberId: '1',
  peerIds: new Set(['2', '3']),
  removedIds: new Set(['4']),
  clusterVersion: '0.1',
};
const bodyBytesMax = 256 * 1024;
const helloBytesMax = 4096;

const openTarget: OpenTarget = {
  make(random) {
    const hello = oneIn(random, 20) ? Buffer.alloc(0) : helloBytes(random, speaker);
    return { kind: 'stream', bytes: Buffer.concat([hello, strayFrames(random, speaker)]) };
  },

  run({ bytes }: Input) {
    const random = randomOf(bytes);
    const member = new Listener(random);
    for (const piece of piecesOf(random, bytes)) if (!member.hear(piece)) break;
    member.rest();
  },
};

/** What a member does with what it hears, without a socket. */
class Listener {
  readonly #random: Random;
  readonly #reader = new FrameReader(helloBytesMax);
  readonly #node: LoneCore;
  #ends: Ends | undefined;

  constructor(random: Random) {
    this.#random = random;
    this.#node = new LoneCore({ log: [1, 1, 2], term: 2, commit: random.below(3) });
    const role = random.below(3);
    if (role === 0) this.#node.lead();
    if (role === 1) this.#node.core.campaign();
  }

  /** False if the connection ends. */
  hear(piece: Buffer): boolean {
    this.#reader.feed(piece);
    for (let body = this.#reader.next(); body !== undefined; body = this.#reader.next()) {
      if (typeof body === 'string') return false;
      const frame = decodeFrame(body, this.#ends);
      if (typeof frame === 'string' || !this.#take(frame)) return false;
    }
    return true;
  }

  rest(): void {
    this.#node.rest();
    for (let ticks = 0; ticks < 12; ticks++) this.#node.core.tick();
    this.#node.rest();
  }

  #take(frame: Frame): boolean {
    if (this.#ends === undefined) {
      if (frame.type !== 'hello' || objectionTo(frame, self) !== undefined) return false;
      this.#ends = { from: frame.from, to: frame.to };
      this.#reader.bodyBytesMax = bodyBytesMax;
      return true;
    }
    const isSame = decodeFrame(encodeFrame(frame).subarray(frameHeaderBytes), this.#ends);
    assert.deepEqual(isSame, frame, 'a frame is another one once it is encoded and decoded again');
    if (frame.type !== 'messages') return true;
    for (const message of frame.messages) this.#node.core.step(message);
    if (oneIn(this.#random, 3)) this.#node.rest();
    if (oneIn(this.#random, 3)) this.#node.core.tick();
    return true;
  }
}

/** As a network may cut it: all at once, byte by byte, or anywhere. */
export function piecesOf(random: Random, bytes: Buffer): Buffer[] {
  if (oneIn(random, 3)) return [bytes];
  const pieces: Buffer[] = [];
  // Not more than some thousands, or the cutting would be what takes long.
  const least = 1 + Math.floor(bytes.length / 4000);
  const largest = oneIn(random, 4) ? 1 : 1 + random.below(bytes.length + 1);
  for (let at = 0; at < bytes.length; ) {
    const length = least + random.below(largest);
    pieces.push(bytes.subarray(at, at + length));
    at += length;
  }
  return pieces;
}
