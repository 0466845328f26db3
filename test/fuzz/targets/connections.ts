import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { InvariantViolation } from '../../../src/base/assert.ts';
import { ManualClock } from '../../../src/base/testing/manual-clock.ts';
import { encodeFrame, type Hello } from '../../../src/transport/codec.ts';
import { type Identity, objectionTo } from '../../../src/transport/handshake.ts';
import { InboundConnection } from '../../../src/transport/inbound.ts';
import { OutboundConnection } from '../../../src/transport/outbound.ts';
import { randomFrame } from '../../../src/transport/testing/random-frame.ts';
import { mutate, oneIn, pick } from '../engine/mutate.ts';
import type { Input, OpenTarget, Target } from '../engine/target.ts';
import { randomOf } from './decoders.ts';
import { piecesOf } from './frames.ts';
import { helloBytes, type Speaker, strayFrames } from './stray-frames.ts';

export const connectionsTarget: Target = {
  name: 'connections',
  about: 'the same stream, and answers of whoever was dialed → the two ends of a peer connection, with their queues',
  weight: 1,
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
const limits = { frameBytesMax: 100_000, queueBytesMax: 400_000 };
const ownHello: Hello = {
  type: 'hello',
  versionMin: 1,
  versionMax: 2,
  clusterId: 'c1',
  from: '1',
  to: '2',
  bootId: 'own',
  epoch: 1,
  software: '0.2.0',
  channel: 'main',
};

const openTarget: OpenTarget = {
  make(random) {
    const kind = pick(random, ['inbound', 'inbound', 'outbound']);
    const hello = oneIn(random, 20) ? Buffer.alloc(0) : helloBytes(random, speaker);
    if (kind === 'inbound') return { kind, bytes: Buffer.concat([hello, strayFrames(random, speaker)]) };
    const answers = Array.from({ length: random.below(6) }, () => {
      const frame = encodeFrame(randomFrame(random));
      return oneIn(random, 3) ? mutate(random, frame, hello) : frame;
    });
    return { kind, bytes: Buffer.concat([hello, ...answers]) };
  },

  async run({ kind, bytes }: Input) {
    const random = randomOf(bytes);
    const clock = new ManualClock();
    const socket = new MemorySocket();
    const pieces = piecesOf(random, bytes);
    const connection = kind === 'inbound' ? inbound(socket, clock) : outbound(socket, clock);
    connection.start(pieces.shift() ?? Buffer.alloc(0));
    for (const piece of pieces) {
      if (socket.destroyed) break;
      socket.emit('data', piece);
      if (oneIn(random, 8)) await turn();
    }
    clock.advance(1000);
    await turn();
    connection.close('the input is over');
    await turn();
    assert.ok(socket.writtenBytes < 2_000_000, `answered ${socket.writtenBytes} bytes to ${bytes.length}`);
  },
};

interface Connection {
  start(head: Buffer): void;
  close(reason: string): void;
}

function inbound(socket: Duplex, clock: ManualClock): Connection {
  let closes = 0;
  return new InboundConnection(
    socket,
    { clock, ...limits },
    {
      onHello: (hello) => objectionTo(hello, self) ?? { ...ownHello, to: hello.from },
      onMessages: () => undefined,
      onRequest(_from, { groupId, kind, body }) {
        if (groupId !== speaker.groupId) return undefined;
        return kind === 3 ? Promise.reject(new Error('no such request\n')) : Promise.resolve(body);
      },
      onRefused: () => undefined,
      onClose: () => closedOnce(++closes),
    },
  );
}

function outbound(socket: Duplex, clock: ManualClock): Connection {
  let closes = 0;
  const connection: OutboundConnection = new OutboundConnection(
    socket,
    { clock, ...limits, hello: ownHello, objectionTo: (hello) => objectionTo(hello, self) },
    {
      onOpen() {
        connection.ping();
        for (let id = 0; id < 4; id++) {
          void connection.request({ groupId: 1, kind: 1, body: Buffer.from([id]), timeoutMs: 500 });
        }
      },
      onRefused: () => undefined,
      onClose: () => closedOnce(++closes),
    },
  );
  return connection;
}

function closedOnce(closes: number): void {
  if (closes > 1) throw new InvariantViolation('a connection was closed twice');
}

/** Everything that was put off to the end of the turn has run. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Takes what is written at once; what it "reads" is emitted by the target. */
class MemorySocket extends Duplex {
  writtenBytes = 0;

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.writtenBytes += chunk.length;
    done();
  }
}
