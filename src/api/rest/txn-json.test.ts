// biome-ignore-all lint/suspicious/noThenProperty: a word of the API; nobody awaits these objects
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KeyValue } from '../../contract/kv.ts';
import type { TxnResult } from '../../contract/txn.ts';
import { header } from './testing/answers.ts';
import { txnJson } from './txn-json.ts';
import { parseTxn } from './txn-request.ts';

const kv: KeyValue = {
  key: Buffer.from('a'),
  value: Buffer.of(0xff),
  createRevision: 2,
  modRevision: 5,
  version: 3,
  lease: 0x1an,
};
const kvJson = {
  key: 'a',
  valueBase64: '/w==',
  createRevision: 2,
  modRevision: 5,
  version: 3,
  lease: '000000000000001a',
};

function check(then: readonly object[], results: readonly TxnResult[], expected: readonly object[]): void {
  const text = txnJson(parseTxn({ then }), { header, succeeded: true, results }, 'auto');
  assert.deepEqual(JSON.parse(text), { succeeded: true, revision: 7, results: expected });
}

test('txn answer: nothing was done', () => {
  check([], [], []);
});

test('txn answer: put', () => {
  const result = { kind: 'put', created: true, createRevision: 7, version: 1, previous: undefined } as const;
  const written = { created: true, createRevision: 7, version: 1 };
  const put = { put: { key: 'a', value: '' } };
  check([put], [result], [{ put: written }]);
  check([put], [{ ...result, previous: kv }], [{ put: { ...written, prevKv: kvJson } }]);
});

test('txn answer: get, with and without the values', () => {
  const result = { kind: 'range', kvs: [kv], count: 2, more: true } as const;
  const { valueBase64: _value, ...keyJson } = kvJson;
  check([{ get: { prefix: '' } }], [result], [{ get: { kvs: [kvJson], count: 2, more: true } }]);
  check([{ get: { prefix: '', keysOnly: true } }], [result], [{ get: { kvs: [keyJson], count: 2, more: true } }]);
});

test('txn answer: delete: what was there, if it was asked for', () => {
  const result = { kind: 'delete', deleted: 0, previous: [] } as const;
  check([{ delete: { key: 'a' } }], [result], [{ delete: { deleted: 0 } }]);
  check([{ delete: { key: 'a', prevKv: true } }], [result], [{ delete: { deleted: 0, prevKvs: [] } }]);
  check(
    [{ delete: { key: 'a', prevKv: true } }],
    [{ kind: 'delete', deleted: 1, previous: [kv] }],
    [{ delete: { deleted: 1, prevKvs: [kvJson] } }],
  );
});

test('txn answer: a transaction in another: each is written as its own branch asked', () => {
  const nested = { if: [{ key: 'a', exists: true }], then: [], else: [{ get: { key: 'a', keysOnly: true } }] };
  const result: TxnResult = { kind: 'range', kvs: [kv], count: 1, more: false };
  const { valueBase64: _value, ...keyJson } = kvJson;
  check(
    [{ txn: nested }],
    [{ kind: 'txn', succeeded: false, results: [result] }],
    [{ txn: { succeeded: false, results: [{ get: { kvs: [keyJson], count: 1, more: false } }] } }],
  );
});

test('txn answer: encoding=base64', () => {
  const results: TxnResult[] = [{ kind: 'range', kvs: [kv], count: 1, more: false }];
  const text = txnJson(parseTxn({ then: [{ get: { key: 'a' } }] }), { header, succeeded: true, results }, 'base64');
  assert.match(text, /"keyBase64":"YQ==","valueBase64":"\/w=="/);
});
