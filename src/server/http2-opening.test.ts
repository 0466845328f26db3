import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Http2Opening } from './http2-opening.ts';

const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const settings = frame(4, 0, Buffer.alloc(0));
const acknowledgement = frame(4, 1, Buffer.alloc(0));
const ping = frame(6, 0, Buffer.alloc(8));
const url = Buffer.from('http://x');
const headers = frame(1, 4, Buffer.concat([Buffer.of(0x83, 0x41, url.length), url]));
const mended = frame(1, 4, Buffer.concat([Buffer.of(0x83, 0x41, url.length), Buffer.from('http:..x')]));

test('opening: a client that sends all at once is sent nothing by us', () => {
  const { opening, sent } = start();
  assert.deepEqual(
    opening.push(Buffer.concat([preface, settings, headers, ping])),
    Buffer.concat([preface, settings, mended, ping]),
  );
  assert.equal(sent.length, 0);
});

test('opening: a client that waits for the settings gets some, and what it says of them stays here', () => {
  const { opening, sent } = start();
  assert.equal(opening.push(Buffer.concat([preface, settings])), undefined);
  assert.deepEqual(sent, [frame(4, 0, Buffer.alloc(0))]);
  assert.equal(opening.isAnswered, false);
  assert.deepEqual(
    opening.push(Buffer.concat([acknowledgement, headers, acknowledgement])),
    Buffer.concat([preface, settings, mended, acknowledgement]),
  );
});

test('opening: headers that crossed our settings wait for the acknowledgement behind them', () => {
  const { opening } = start();
  opening.push(Buffer.concat([preface, settings]));
  assert.equal(opening.push(headers), undefined);
  assert.deepEqual(
    opening.push(Buffer.concat([ping, acknowledgement])),
    Buffer.concat([preface, settings, mended, ping]),
  );
});

test('opening: it may come a byte at a time', () => {
  const { opening } = start();
  const all = Buffer.concat([preface, settings, acknowledgement, headers]);
  const seen = [...all].map((byte) => opening.push(Buffer.of(byte)));
  assert.deepEqual(seen.at(-1), Buffer.concat([preface, settings, mended]));
  assert.ok(seen.slice(0, -1).every((bytes) => bytes === undefined));
});

test('opening: what is no request ends it, and so does too much', () => {
  assert.deepEqual(start().opening.push(Buffer.concat([preface, ping])), Buffer.concat([preface, ping]));
  const huge = Buffer.concat([preface, frame(1, 4, Buffer.alloc(0)).fill(0xff, 0, 3), Buffer.alloc(70_000)]);
  assert.deepEqual(start().opening.push(huge), huge);
});

function start(): { readonly opening: Http2Opening; readonly sent: Buffer[] } {
  const sent: Buffer[] = [];
  return { opening: new Http2Opening((bytes) => sent.push(bytes)), sent };
}

function frame(type: number, flags: number, payload: Buffer): Buffer {
  const head = Buffer.from([0, 0, payload.length, type, flags, 0, 0, 0, type === 1 ? 1 : 0]);
  return Buffer.concat([head, payload]);
}
