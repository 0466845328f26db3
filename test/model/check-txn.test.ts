import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyRange } from '../../src/contract/key-range.ts';
import type { KeyRange, RangeRequest } from '../../src/contract/kv.ts';
import type { Compare, TxnOperation, TxnRequest } from '../../src/contract/txn.ts';
import { checkTxn } from './check-txn.ts';

const putA = put('abc');
const deleteA = remove(keyRange(bytes('abc')));
const deleteOver = remove(range('a', 'b'));
const deleteBeside = remove(range('abb', 'abc'));

/** The cases of etcd's `TestV3TxnDuplicateKeys`. */
test('check txn: a key is put once, and not deleted as well: the cases of etcd', () => {
  refused(/duplicate key: 'abc'/, [putA, putA]);
  refused(/duplicate key/, [putA, deleteA]);
  refused(/duplicate key/, [putA, deleteOver]);
  refused(/duplicate key/, [putA, nested([deleteOver])]);
  refused(/duplicate key/, [deleteOver, nested([putA])]);
  refused(/duplicate key/, [nested([putA], [putA]), nested([putA], [putA])]);
  allowed([deleteBeside, nested([putA], [putA])]);
  allowed([nested([deleteOver]), nested([deleteOver], [deleteOver])]);
  allowed([deleteA, deleteOver, deleteA, deleteOver]);
  allowed([putA, deleteBeside]);
});

test('check txn: of two branches only one is done, so they may touch the same keys', () => {
  assert.equal(checkTxn({ compare: [], success: [putA], failure: [putA, deleteBeside] }), undefined);
  assert.match(checkTxn({ compare: [], success: [], failure: [putA, putA] }) ?? '', /duplicate key/);
  allowed([nested([putA], [deleteOver])]);
  refused(/duplicate key/, [nested([], [putA]), putA]);
  refused(/duplicate key/, [nested([nested([], [putA])]), putA]);
});

test('check txn: a put in one nested transaction and a deletion in another: only in this order', () => {
  allowed([nested([putA]), nested([deleteA])]);
  refused(/duplicate key/, [nested([deleteA]), nested([putA])]);
});

test('check txn: ranges without an end, and keys as bytes', () => {
  refused(/duplicate key/, [remove({ start: bytes('a'), end: undefined }), put('b')]);
  refused(/duplicate key/, [remove({ start: bytes(''), end: undefined }), put('\0')]);
  allowed([remove({ start: bytes('b'), end: undefined }), put('a')]);
  allowed([remove(keyRange(bytes('a'))), put('a\0')]);
  allowed([remove(range('b', 'a')), put('a'), put('b')]);
  allowed([put('a'), put('a\0'), put('\xff'), put('\xff\xff')]);
});

test('check txn: empty keys', () => {
  refused(/empty key in a put/, [put('')]);
  refused(/empty key in a range/, [read(keyRange(bytes('')))]);
  refused(/empty key in a delete/, [remove(keyRange(bytes('')))]);
  refused(/empty key in a put/, [nested([], [put('')])]);
  const compare: Compare = { range: keyRange(bytes('')), is: '=', target: 'version', value: 0 };
  assert.match(checkTxn({ compare: [compare], success: [], failure: [] }) ?? '', /empty key in a comparison/);
  allowed([read({ start: bytes(''), end: undefined })]);
});

test('check txn: a put that keeps something must not bring it', () => {
  refused(/value is provided/, [{ ...put('a'), value: bytes('1'), keepsValue: true }]);
  refused(/lease is provided/, [{ ...put('a'), lease: 1n, keepsLease: true }]);
  allowed([
    { ...put('a'), lease: 1n, keepsValue: true },
    { ...put('b'), value: bytes('1'), keepsLease: true },
  ]);
});

test('check txn: 128 operations: the longest list counts, and what is nested has what is left', () => {
  const reads = (count: number): TxnOperation[] => Array.from({ length: count }, () => read(keyRange(bytes('a'))));
  allowed(reads(128));
  refused(/too many operations: 129/, reads(129));
  allowed([...reads(99), nested(reads(28))]);
  refused(/too many operations: 29 where 28 are left/, [...reads(99), nested(reads(29))]);
  refused(/too many/, [nested([], [nested(reads(127))])]);
  allowed([nested([], [nested(reads(126))])]);
  assert.match(
    checkTxn({ compare: [], success: [nested(reads(100))], failure: reads(100) }) ?? '',
    /where 28 are left/,
  );
  // Side by side they do not add up: each has what its level leaves.
  allowed(Array.from({ length: 64 }, () => nested(reads(64))));
});

test('check txn: 4 transactions within each other', () => {
  allowed([nested([nested([nested([putA])])])]);
  refused(/too deep/, [nested([nested([nested([nested([])])])])]);
});

function allowed(success: readonly TxnOperation[]): void {
  assert.equal(checkTxn({ compare: [], success, failure: [] }), undefined);
}

function refused(reason: RegExp, success: readonly TxnOperation[]): void {
  assert.match(checkTxn({ compare: [], success, failure: [] }) ?? 'no reason', reason);
}

function put(key: string): Extract<TxnOperation, { kind: 'put' }> {
  return { kind: 'put', key: bytes(key), value: bytes('') };
}

function remove(range: KeyRange): TxnOperation {
  return { kind: 'delete', range };
}

function read(range: KeyRange): TxnOperation {
  const options: Omit<RangeRequest, 'range'> = {
    limit: 0,
    keysOnly: false,
    countOnly: false,
    sort: 'key',
    order: 'asc',
  };
  return { kind: 'range', range, ...options };
}

function nested(success: readonly TxnOperation[], failure: readonly TxnOperation[] = []): TxnOperation {
  const txn: TxnRequest = { compare: [], success, failure };
  return { kind: 'txn', txn };
}

function range(start: string, end: string): KeyRange {
  return { start: bytes(start), end: bytes(end) };
}

function bytes(latin1: string): Uint8Array {
  return Uint8Array.from(Buffer.from(latin1, 'latin1'));
}
