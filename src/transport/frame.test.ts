import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FrameReader, frameHeaderBytes, sealFrame } from './frame.ts';

test('frame: a stream that is cut at any place gives the same bodies', () => {
  const bodies = ['', 'a', 'second', 'x'.repeat(300)].map((text) => Buffer.from(text));
  const stream = Buffer.concat(bodies.map(frameOf));
  for (let pieceBytes = 1; pieceBytes <= stream.length; pieceBytes++) {
    assert.deepEqual(read(new FrameReader(1000), pieces(stream, pieceBytes)), bodies, `pieces of ${pieceBytes} bytes`);
  }
});

test('frame: a body of many pieces ends in a buffer of exactly its size', () => {
  const body = Buffer.alloc(1_000_000, 'abc');
  const [read1] = read(new FrameReader(body.length), pieces(frameOf(body), 65_536));
  assert.ok(read1 instanceof Buffer && read1.equals(body));
  assert.equal(read1.buffer.byteLength, body.length);
});

test('frame: a body does not hold on to the chunk it came in', () => {
  const chunk = Buffer.concat([frameOf(Buffer.from('small')), Buffer.alloc(50_000)]);
  const [body] = read(new FrameReader(1000), [chunk]);
  assert.ok(body instanceof Buffer);
  assert.equal(body.buffer.byteLength, 5);
});

test('frame: a length above the limit is refused when the header is there, before anything of the body', () => {
  const header = Buffer.alloc(frameHeaderBytes);
  header.writeUInt32BE(0xffff_ffff, 0);
  const reader = new FrameReader(1000);
  assert.deepEqual(read(reader, pieces(header.subarray(0, 7), 1)), []);
  assert.deepEqual(read(reader, [header.subarray(7)]), ['a frame of 4294967295 bytes was announced, 1000 are allowed']);
});

test('frame: what is set aside for a body follows what has come of it', () => {
  const header = Buffer.alloc(frameHeaderBytes);
  header.writeUInt32BE(1 << 30, 0);
  const before = process.memoryUsage().arrayBuffers;
  const readers = Array.from({ length: 20 }, () => new FrameReader(1 << 30));
  for (const reader of readers) assert.deepEqual(read(reader, [header, Buffer.alloc(100)]), []);
  const setAside = process.memoryUsage().arrayBuffers - before;
  assert.ok(setAside < 4 * 1024 * 1024, `${setAside} bytes for 20 announcements of 1 GiB`);
});

test('frame: every flipped bit behind the length is noticed', () => {
  const stream = frameOf(Buffer.from('the body'));
  for (let bit = 4 * 8; bit < stream.length * 8; bit++) {
    const damaged = Buffer.from(stream);
    damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    assert.deepEqual(read(new FrameReader(1000), [damaged]), ['a frame does not have the checksum it came with']);
  }
});

function frameOf(body: Buffer): Buffer {
  return sealFrame(Buffer.concat([Buffer.alloc(frameHeaderBytes), body]));
}

function pieces(bytes: Buffer, pieceBytes: number): Buffer[] {
  const result: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes) result.push(bytes.subarray(at, at + pieceBytes));
  return result;
}

/** The bodies, and last the reason if it ended with one. */
function read(reader: FrameReader, chunks: readonly Buffer[]): (Buffer | string)[] {
  const result: (Buffer | string)[] = [];
  for (const chunk of chunks) {
    reader.feed(chunk);
    for (let next = reader.next(); next !== undefined; next = reader.next()) {
      result.push(next);
      if (typeof next === 'string') return result;
    }
  }
  return result;
}
