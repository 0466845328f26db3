import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KeyValue, TxnResult } from '../client/index.ts';
import { txnLines, txnOutcomeJson } from './txn-lines.ts';

const kv: KeyValue = {
  key: Buffer.from('key1'),
  value: Uint8Array.of(0x61, 0x1b, 0xff),
  createRevision: 2,
  modRevision: 3,
  version: 2,
  lease: 255n,
};
const results: readonly TxnResult[] = [
  { kind: 'put', created: true, createRevision: 4, version: 1, previous: undefined },
  { kind: 'put', created: false, createRevision: 2, version: 3, previous: kv },
  { kind: 'range', kvs: [kv], count: 1, more: false },
  { kind: 'range', kvs: [], count: 7, more: false },
  { kind: 'delete', deleted: 1, previous: [kv] },
  { kind: 'txn', succeeded: false, results: [{ kind: 'delete', deleted: 0, previous: [] }] },
];

test('txn output: SUCCESS or FAILURE and the results, as etcdctl prints them, safe for a terminal', () => {
  const shown = 'key1\na\\x1b\\xff\n';
  assert.equal(
    txnLines({ succeeded: true, results }),
    ['SUCCESS\n', 'OK\n', `OK\n${shown}`, shown, '7\n', `1\n${shown}`, 'FAILURE\n\n0\n'].join('\n'),
  );
  assert.equal(txnLines({ succeeded: false, results: [] }), 'FAILURE\n');
});

test('txn output: JSON is that of the REST API', () => {
  const wire = {
    key: 'key1',
    valueBase64: 'YRv/',
    createRevision: 2,
    modRevision: 3,
    version: 2,
    lease: '00000000000000ff',
  };
  assert.deepEqual(txnOutcomeJson({ succeeded: true, revision: 9, results }), {
    succeeded: true,
    revision: 9,
    results: [
      { put: { created: true, createRevision: 4, version: 1 } },
      { put: { created: false, createRevision: 2, version: 3, prevKv: wire } },
      { get: { kvs: [wire], count: 1, more: false } },
      { get: { kvs: [], count: 7, more: false } },
      { delete: { deleted: 1, prevKvs: [wire] } },
      { txn: { succeeded: false, results: [{ delete: { deleted: 0 } }] } },
    ],
  });
});
