import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BalsaError, type ErrorCode } from '../contract/errors.ts';
import { keyRange } from '../contract/key-range.ts';
import { limits } from '../contract/kv.ts';
import { type TxnOperation, type TxnRequest, txnLimits } from '../contract/txn.ts';
import { checkTxn } from './check-txn.ts';
import { bytes } from './testing/requests.ts';

const valueBytesMax = 100;
const longKey = 'k'.repeat(limits.keyBytesMax + 1);

// Which transactions are well formed is held against the model, in test/model/check-txn-agreement.test.ts.

test('check txn: keys, bounds and values that are too large, wherever they stand', () => {
  const large = bytes('v'.repeat(valueBytesMax + 1));
  const range = { start: bytes(longKey), end: undefined };
  const read = {
    kind: 'range',
    range,
    limit: 0,
    keysOnly: false,
    countOnly: false,
    sort: 'key',
    order: 'asc',
  } as const;
  for (const operation of [put(longKey), put('k', large), read, { kind: 'delete', range } as const]) {
    refused('too_large', 'bytes', txnOf([operation]));
    refused('too_large', 'bytes', { compare: [], success: [], failure: [operation] });
    refused('too_large', 'bytes', txnOf([nested([operation])]));
  }
  const compare = { range: keyRange(bytes('k')), is: '=', target: 'value', value: large } as const;
  refused('too_large', 'bytes', { compare: [compare], success: [], failure: [] });
  const compareLong = { range, is: '=', target: 'version', value: 1 } as const;
  refused('too_large', 'bytes', { compare: [compareLong], success: [], failure: [] });
});

test('check txn: the longest that are allowed', () => {
  const key = 'k'.repeat(limits.keyBytesMax);
  checkTxn(txnOf([put(key, bytes('v'.repeat(valueBytesMax)))]), valueBytesMax);
  checkTxn(txnOf([{ kind: 'delete', range: keyRange(bytes(key)) }]), valueBytesMax);
  const puts = Array.from({ length: txnLimits.operationsMax }, (_, i) => put(`k${i}`));
  checkTxn({ compare: [], success: puts, failure: puts }, valueBytesMax);
  refused('bad_request', '129 operations', txnOf([...puts, put('one more')]));
});

test('check txn: a key that is written twice is named', () => {
  refused('bad_request', '"twice"', txnOf([put('once'), put('twice'), nested([put('twice')])]));
});

test('check txn: one nested ten thousand times is refused, and not by the end of the stack', () => {
  let operation: TxnOperation = put('k');
  for (let depth = 0; depth < 10_000; depth++) operation = nested([operation]);
  refused('bad_request', 'nested', txnOf([operation]));
});

test('check txn: as many puts and deletions as the limits allow are checked without holding up everybody else', () => {
  // Three levels of 42: 74,088 operations, all of different keys, so that each has to be compared with what was there.
  const width = 42;
  const isDeletion = (i: number): boolean => i % 2 === 0;
  const txn = txnOf(
    Array.from({ length: width }, (_, i) =>
      nested(
        Array.from({ length: width }, (_, j) =>
          nested(
            Array.from({ length: width }, (_, k): TxnOperation => {
              const key = `${i} ${j} ${k}`;
              return isDeletion(i) ? { kind: 'delete', range: keyRange(bytes(`${key}d`)) } : put(key);
            }),
          ),
        ),
      ),
    ),
  );
  const startedMs = performance.now();
  checkTxn(txn, valueBytesMax);
  const tookMs = performance.now() - startedMs;
  assert.ok(tookMs < 2000, `${tookMs.toFixed(0)} ms`);
});

test('check txn: deletions that overlap, in any order, are found by the puts within them', () => {
  const spans = [
    ['b', 'd'],
    ['f', 'h'],
    ['c', 'g'],
    ['j', 'j'],
    ['z', 'y'],
    ['m', 'n'],
  ] as const;
  const deletes = spans.map(([start, end]): TxnOperation => {
    return { kind: 'delete', range: { start: bytes(start), end: bytes(end) } };
  });
  for (const turned of [deletes, deletes.toReversed()]) {
    for (const key of ['b', 'bz', 'c', 'd', 'e', 'g', 'gz', 'm', 'mz']) {
      refused('bad_request', `"${key}"`, txnOf([nested(turned), nested([put(key)])]));
      refused('bad_request', `"${key}"`, txnOf([...turned, put(key)]));
    }
    for (const key of ['a', 'az', 'h', 'i', 'j', 'l', 'n', 'y', 'z']) {
      checkTxn(txnOf([nested(turned), nested([put(key)])]), valueBytesMax);
    }
  }
  const toTheEnd: TxnOperation = { kind: 'delete', range: { start: bytes('x'), end: undefined } };
  refused('bad_request', '"zz"', txnOf([...deletes, toTheEnd, put('zz')]));
  checkTxn(txnOf([...deletes, toTheEnd, put('w')]), valueBytesMax);
});

function refused(code: ErrorCode, words: string, txn: TxnRequest): void {
  assert.throws(
    () => checkTxn(txn, valueBytesMax),
    (reason) => {
      assert.ok(reason instanceof BalsaError, String(reason));
      assert.equal(reason.code, code, reason.detail);
      assert.ok(reason.detail.includes(words), reason.detail);
      return true;
    },
  );
}

function txnOf(success: readonly TxnOperation[]): TxnRequest {
  return { compare: [], success, failure: [] };
}

function nested(success: readonly TxnOperation[]): TxnOperation {
  return { kind: 'txn', txn: txnOf(success) };
}

function put(key: string, value: Uint8Array = new Uint8Array()): TxnOperation {
  return { kind: 'put', key: bytes(key), value };
}
