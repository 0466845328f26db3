import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  rangeMessage,
  readRangeResponse,
  readWatchResponse,
  txnOfExisting,
  txnOfPuts,
  watchMessage,
} from './etcd-messages.ts';
import { GrpcFrames, grpcFrame } from './grpc-frame.ts';

/** What a server makes of these is in clients.test.ts. */

describe('etcd messages', () => {
  it('a transaction is a list of operations, each with a put', () => {
    const put = '0a0161' + '12026263';
    assert.equal(txnOfPuts([{ key: 'a', value: 'bc' }]).toString('hex'), `12091207${put}`);
  });

  it('a transaction on existing keys compares the create revision of each with 0', () => {
    const compare = '0801' + '1001' + '1a0161' + '2800';
    const put = '0a0161' + '12026263';
    assert.equal(txnOfExisting([{ key: 'a', value: 'bc' }]).toString('hex'), `0a09${compare}` + `12091207${put}`);
  });

  it('a length above 127 takes two bytes on every level', () => {
    const message = txnOfPuts([{ key: 'a', value: 'x'.repeat(256) }]);
    assert.equal(message.subarray(0, 9).toString('hex'), '128902' + '128602' + '0a0161');
    assert.equal(message.length, 3 + 3 + 0x106);
  });

  it('a prefix ends before the next letter', () => {
    assert.equal(
      rangeMessage({ text: 'a/', isPrefix: true, limit: 300 }).toString('hex'),
      '0a02612f' + '12026130' + '18ac02',
    );
  });

  it('a watch is created', () => {
    assert.equal(watchMessage({ text: 'a', isPrefix: false }).toString('hex'), '0a03' + '0a0161');
  });

  it('answers are read past what nobody asked for', () => {
    const header = '0a02' + '1805';
    const kv = '0a0161' + '1005' + '2a026263';
    const range = readRangeResponse(Buffer.from(`${header}1209${kv}2001`, 'hex'));
    assert.deepEqual([range.values.map(String), range.count], [['bc'], 1]);
    const watch = readWatchResponse(Buffer.from(`${header}18015a0b1209${kv}`, 'hex'));
    assert.deepEqual(watch, { isCreated: true, isCanceled: false, events: [{ key: 'a', value: 'bc' }] });
  });

  it('that are cut off are refused', () => {
    assert.throws(() => readRangeResponse(Buffer.from('120a0a01', 'hex')), /ends within a field/);
  });
});

it('gRPC frames: come whole out of any pieces', () => {
  const seen: string[] = [];
  const frames = new GrpcFrames((message) => seen.push(message.toString()));
  const bytes = Buffer.concat(['one', '', 'three'].map((text) => grpcFrame(Buffer.from(text))));
  for (const byte of bytes) frames.push(Buffer.of(byte));
  assert.deepEqual(seen, ['one', '', 'three']);
});
