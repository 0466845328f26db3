import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decode } from '../../src/api/etcd/proto/binary.ts';
import { RangeRequest, TxnRequest } from '../../src/api/etcd/proto/messages/kv.ts';
import { keyCount } from '../keys.ts';
import { putRequest, rangeRequest, requestsOf } from './grpc-message.ts';

it('gRPC: a put is key and value behind the length of the message', () => {
  assert.equal(putRequest('a', 'bc').toString('hex'), '00' + '00000007' + '0a0161' + '12026263');
});

it('gRPC: a length above 127 takes two bytes', () => {
  const frame = putRequest('a', 'x'.repeat(256));
  assert.equal(frame.subarray(0, 11).toString('hex'), '00' + '00000106' + '0a0161' + '128002');
  assert.equal(frame.length, 5 + 0x106);
});

it('gRPC: a get is the key, and says if a stale answer will do', () => {
  assert.equal(rangeRequest('a', { serializable: false }).toString('hex'), '00' + '00000003' + '0a0161');
  assert.equal(rangeRequest('a', { serializable: true }).toString('hex'), '00' + '00000005' + '0a0161' + '3801');
});

describe('gRPC: what is written over one body file', () => {
  for (const work of ['put', 'get', 'stale-get', 'txn', 'prefix'] as const) {
    it(`${work}: all requests differ, if at all, in the digits of their keys`, () => {
      const bodyOf = requestsOf(work, 7);
      const shapes = indexesAllOver().map((index) =>
        bodyOf(index).toString('latin1').replaceAll(keyDigitsInBody, '$<name>'),
      );
      assert.equal(new Set(shapes).size, 1);
    });
  }

  it('a transaction compares and puts the same three keys', () => {
    const { compare, success, failure } = decode(TxnRequest, messageOf(requestsOf('txn', 1)(1234)));
    const keys = ['bench/1234', 'bench/4234', 'bench/7234'];
    assert.deepEqual(
      compare.map(({ key }) => text(key)),
      keys,
    );
    assert.deepEqual(
      compare.map(({ result, target, createRevision }) => [result, target, createRevision]),
      keys.map(() => [1, 1, 0n]),
    );
    assert.deepEqual(
      success.map(({ requestPut }) => text(requestPut?.key)),
      keys,
    );
    for (const { requestPut } of success) assert.equal(requestPut?.value.length, 256);
    assert.deepEqual(failure, []);
  });

  it('a key is not twice in a transaction that was caught half written over', () => {
    const firstDigits = [0, 1, 2].map((n) => new Set(indexesAllOver().map((index) => keysOfTxn(index)[n]?.charAt(6))));
    assert.deepEqual(
      firstDigits.map((digits) => [...digits].toSorted().join('')),
      ['012', '345', '6789'],
    );
  });

  it('the prefixes are ten, and each ends before the next', () => {
    const ranges = indexesAllOver().map((index) => decode(RangeRequest, messageOf(requestsOf('prefix', 1)(index))));
    const ends = new Map(ranges.map(({ key, rangeEnd }) => [text(key), text(rangeEnd)]));
    assert.equal(ends.size, 10);
    assert.equal(ends.get('bench/0'), 'bench/1');
    assert.equal(ends.get('bench/9'), 'bench/:');
  });
});

/** With the end of the prefix of a range, which comes after `9`. */
const keyDigitsInBody = /(?<name>bench\/)[\d:]+/g;

/** Of all prefixes, and with every digit at every place. */
function indexesAllOver(): number[] {
  return Array.from({ length: Math.ceil(keyCount / 37) }, (_, n) => 37 * n);
}

function keysOfTxn(index: number): string[] {
  return decode(TxnRequest, messageOf(requestsOf('txn', 1)(index))).compare.map(({ key }) => text(key));
}

/** Without gRPC's prefix. */
function messageOf(request: Buffer): Buffer {
  return request.subarray(5);
}

function text(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString();
}
