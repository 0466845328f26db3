import type { Random } from '../../src/base/random.ts';
import { mutate, pick, randomBytes } from '../fuzz/engine/mutate.ts';
import { callOf, connection, frame, frameTypes, headerBlock, preface } from '../fuzz/targets/http2-frames.ts';
import { framed } from './calls.ts';

/** What a hostile client does on one connection. */
export interface Attack {
  readonly name: string;
  /** It never reads what the node says. */
  readonly isDeaf?: boolean;
  /** Sent one after the other, as fast as the node takes them, until there are no more or the connection is given up. */
  readonly pieces: (random: Random) => Iterable<Buffer>;
}

const { data, headers, priority, reset, settings, ping, goaway, window, continuation } = frameTypes;
const flags = { ack: 1, endStream: 1, endHeaders: 4 } as const;
/** Frames that are sent in one piece. */
const pieceFrames = 200;

const opening = Buffer.concat([preface, frame(settings, 0, 0, Buffer.alloc(0))]);

/** The names are those under which these attacks are known, where they have one; CVE-2019-9511 to 9518 are most of them. */
export const attacks: readonly Attack[] = [
  { name: 'damaged connections', pieces: (random) => [connection(random)] },
  { name: 'damaged messages', pieces: (random) => damagedMessages(random) },
  { name: 'garbage behind the preface', pieces: (random) => [preface, randomBytes(random, 20_000)] },
  { name: 'byte by byte', pieces: (random) => [...connection(random)].map((byte) => Buffer.of(byte)) },
  flood('SETTINGS', (random) => frame(settings, 0, 0, randomSettings(random))),
  flood('PING', () => frame(ping, 0, 0, Buffer.alloc(8))),
  { ...flood('unread PING', () => frame(ping, 0, 0, Buffer.alloc(8))), isDeaf: true },
  { ...flood('unread SETTINGS', () => frame(settings, 0, 0, Buffer.alloc(0))), isDeaf: true },
  flood('PRIORITY', (random) => frame(priority, 0, oddId(random), Buffer.of(0, 0, 0, 0, random.below(256)))),
  flood('WINDOW_UPDATE', () => frame(window, 0, 0, Buffer.of(0, 0, 0, 1))),
  flood('RST_STREAM', (random) => frame(reset, 0, oddId(random), Buffer.of(0, 0, 0, 8))),
  flood('GOAWAY', () => frame(goaway, 0, 0, Buffer.alloc(8))),
  flood('unknown frame', (random) => frame(0x20 + random.below(200), 0, 0, randomBytes(random, 20))),
  { name: 'empty DATA flood', pieces: () => behind(startOf(1), () => frame(data, 0, 1, Buffer.alloc(0))) },
  {
    name: 'CONTINUATION flood',
    pieces: () => behind(unendedHeaders(), () => frame(continuation, 0, 1, headerBlock([['x', 'y'.repeat(100)]]))),
  },
  {
    name: 'empty CONTINUATION flood',
    pieces: () => behind(unendedHeaders(), () => frame(continuation, 0, 1, Buffer.alloc(0))),
  },
  { name: 'headers that never end', pieces: () => [opening, unendedHeaders()] },
  { name: 'huge header lists', pieces: () => hugeHeaderLists() },
  { name: 'header bomb', pieces: () => headerBombs() },
  {
    name: 'rapid reset',
    pieces: () => calls((id) => [wholeCall(id, range), frame(reset, 0, id, Buffer.of(0, 0, 0, 8))]),
  },
  {
    name: 'resets that the node is made to send',
    pieces: () => calls((id) => [wholeCall(id, range), frame(window, 0, id, Buffer.alloc(4))]),
  },
  { name: 'calls without a request', pieces: () => calls((id) => [startOf(id)]) },
  { name: 'messages that never end', pieces: () => calls((id) => [startOf(id), unendedMessage(id)]) },
  { name: 'answers that are not read', isDeaf: true, pieces: () => calls((id) => [wholeCall(id, range)], wideWindows) },
  { name: 'answers without a window', pieces: () => calls((id) => [wholeCall(id, range)], noWindow) },
  { name: 'window that opens byte by byte', pieces: () => dribble() },
];

function flood(name: string, one: (random: Random) => Buffer): Attack {
  return { name: `${name} flood`, pieces: (random) => behind(Buffer.alloc(0), () => one(random)) };
}

/** The opening, something, and then the same again and again. */
function* behind(first: Buffer, one: () => Buffer): Iterable<Buffer> {
  yield Buffer.concat([opening, first]);
  for (;;) yield Buffer.concat(Array.from({ length: pieceFrames }, one));
}

/** One call after the other, without waiting for any answer. */
function* calls(framesOf: (id: number) => readonly Buffer[], first: Buffer = opening): Iterable<Buffer> {
  yield first;
  for (let id = 1; id < 2 ** 31; id += 2) yield Buffer.concat(framesOf(id));
}

function* damagedMessages(random: Random): Iterable<Buffer> {
  yield opening;
  for (let id = 1; id < 2 ** 31; id += 2) {
    const frames = callOf(random, id);
    const [head, body] = frames;
    if (head === undefined || body === undefined) continue;
    // The prefix of the message stays right, so that what is damaged is the message.
    const message = mutate(random, body.subarray(14), head, 10_000);
    yield Buffer.concat([head, frame(data, flags.endStream, id, framed(message))]);
  }
}

/** Fields that the table keeps, so that what is sent is small and what it stands for is not. */
function* headerBombs(): Iterable<Buffer> {
  yield opening;
  const name = 'b';
  const kept = Buffer.concat([Buffer.of(0x40, 1), Buffer.from(name), hpackLength(3900), Buffer.alloc(3900, 'x')]);
  const again = Buffer.alloc(10_000, 0x80 | 62);
  for (let id = 1; id < 2 ** 31; id += 2) {
    yield frame(headers, flags.endHeaders, id, Buffer.concat([callHeaders(range), ...(id === 1 ? [kept] : []), again]));
  }
}

function* hugeHeaderLists(): Iterable<Buffer> {
  yield opening;
  const fields = headerBlock(Array.from({ length: 120 }, (_, i) => [`x-${i}`, 'y'.repeat(120)]));
  for (let id = 1; id < 2 ** 31; id += 2) {
    yield frame(headers, 0, id, callHeaders(range));
    for (let more = 0; more < 100; more++) yield frame(continuation, 0, id, fields);
    yield frame(continuation, flags.endHeaders, id, fields);
  }
}

function* dribble(): Iterable<Buffer> {
  yield noWindow;
  for (let id = 1; id < 200; id += 2) yield wholeCall(id, range);
  for (;;) {
    for (let id = 1; id < 200; id += 2) yield frame(window, 0, id, Buffer.of(0, 0, 0, 1));
  }
}

const range = '/etcdserverpb.KV/Range';
/** Everything. */
const rangeMessage = Buffer.from('0a0100120100', 'hex');

function callHeaders(path: string): Buffer {
  return headerBlock([
    [':method', 'POST'],
    [':scheme', 'http'],
    [':path', path],
    [':authority', 'localhost'],
    ['content-type', 'application/grpc'],
    ['te', 'trailers'],
  ]);
}

function startOf(id: number): Buffer {
  return frame(headers, flags.endHeaders, id, callHeaders(range));
}

function wholeCall(id: number, path: string): Buffer {
  const head = frame(headers, flags.endHeaders, id, callHeaders(path));
  return Buffer.concat([head, frame(data, flags.endStream, id, framed(rangeMessage))]);
}

function unendedHeaders(): Buffer {
  return frame(headers, 0, 1, callHeaders(range));
}

function unendedMessage(id: number): Buffer {
  const prefix = Buffer.of(0, 0, 0x10, 0, 0);
  return frame(data, 0, id, Buffer.concat([prefix, Buffer.alloc(1000, 'x')]));
}

const initialWindow = 4;
const windowMax = 2 ** 31 - 1;
const noWindow = Buffer.concat([preface, frame(settings, 0, 0, setting(initialWindow, 0))]);
const wideWindows = Buffer.concat([
  preface,
  frame(settings, 0, 0, setting(initialWindow, windowMax)),
  frame(window, 0, 0, uint32(windowMax - 65_535)),
]);

function setting(id: number, value: number): Buffer {
  return Buffer.concat([Buffer.of(0, id), uint32(value)]);
}

function randomSettings(random: Random): Buffer {
  const known = [1, 3, 4, 5, 6, 0x99];
  const values = [0, 1, 100, 16_384, 65_535, 2 ** 24 - 1];
  return Buffer.concat(
    Array.from({ length: random.below(6) }, () => setting(pick(random, known), pick(random, values))),
  );
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** RFC 7541, 5.1, with a prefix of seven bits. */
function hpackLength(length: number): Buffer {
  const bytes = [127];
  let rest = length - 127;
  for (; rest >= 128; rest >>= 7) bytes.push((rest & 127) | 128);
  return Buffer.of(...bytes, rest);
}

function oddId(random: Random): number {
  return 2 * random.below(1000) + 1;
}
