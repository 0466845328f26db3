import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { connect, type Txn, type TxnResult } from './index.ts';
import { Endpoints, hangUp, inTurn, json, problem, rejection } from './testing/endpoint.ts';

const endpoints = new Endpoints();
afterEach(() => endpoints.closeAll());

/** The body that is sent for a transaction, and what the client makes of the answer. */
async function exchange(txn: Txn, answer: object = { succeeded: true, revision: 7, results: [] }) {
  let body = '';
  const url = await endpoints.open((request, response) => {
    assert.equal(`${request.method} ${request.url?.split('?')[0]}`, 'POST /v1/txn');
    request.on('data', (chunk: Buffer) => {
      body += chunk;
    });
    json(answer)(request, response);
  });
  const outcome = await connect({ endpoints: url }).txn(txn);
  return { body: JSON.parse(body) as unknown, outcome };
}

test('txn: comparisons and operations are written as the API takes them', async () => {
  const { body } = await exchange({
    compare: [
      { key: 'a', modRevision: { '=': 5 } },
      { key: 'b', exists: false },
      { key: 'c', value: { '!=': 'x' } },
      { key: Uint8Array.of(0xff), value: { '<': Uint8Array.of(0xfe) } },
      { key: 'd', lease: { '=': 255n } },
      { prefix: 'e/', version: { '>': 0 } },
    ],
    success: [
      { put: { key: 'a', value: '1', lease: 255n, previous: true } },
      { put: { key: 'a', keepsValue: true, keepsLease: true } },
      { get: { prefix: 'a/', limit: 3, sort: 'modRevision', order: 'desc', keysOnly: true, revision: 4 } },
      { delete: { start: 'a', end: Uint8Array.of(0xff), previous: true } },
    ],
    failure: [{ txn: { success: [{ get: { key: 'a' } }] } }],
  });
  assert.deepEqual(body, {
    if: [
      { key: 'a', modRevision: { '=': 5 } },
      { key: 'b', exists: false },
      { key: 'c', value: { '!=': 'x' } },
      { keyBase64: '/w==', valueBase64: { '<': '/g==' } },
      { key: 'd', lease: { '=': '00000000000000ff' } },
      { prefix: 'e/', version: { '>': 0 } },
    ],
    // biome-ignore lint/suspicious/noThenProperty: a word of the REST API.
    then: [
      { put: { key: 'a', value: '1', lease: '00000000000000ff', prevKv: true } },
      { put: { key: 'a', ignoreValue: true, ignoreLease: true } },
      { get: { prefix: 'a/', limit: 3, sort: 'modRevision', order: 'desc', keysOnly: true, revision: 4 } },
      { delete: { start: 'a', endBase64: '/w==', prevKv: true } },
    ],
    // biome-ignore lint/suspicious/noThenProperty: a word of the REST API.
    else: [{ txn: { if: [], then: [{ get: { key: 'a' } }], else: [] } }],
  });
});

test('txn: the results have the shapes of the operations', async () => {
  const wire = {
    key: 'a',
    valueBase64: '/w==',
    createRevision: 2,
    modRevision: 3,
    version: 2,
    lease: '00000000000000ff',
  };
  const { outcome } = await exchange(
    {},
    {
      succeeded: false,
      revision: 7,
      results: [
        { put: { created: false, createRevision: 2, version: 2, prevKv: wire } },
        { get: { kvs: [wire], count: 4, more: true } },
        { delete: { deleted: 1, prevKvs: [wire] } },
        { delete: { deleted: 0 } },
        { txn: { succeeded: true, results: [{ get: { kvs: [], count: 0, more: false } }] } },
      ],
    },
  );
  const kv = {
    key: new TextEncoder().encode('a'),
    value: Uint8Array.of(0xff),
    createRevision: 2,
    modRevision: 3,
    version: 2,
    lease: 255n,
  };
  const results: readonly TxnResult[] = [
    { kind: 'put', created: false, createRevision: 2, version: 2, previous: kv },
    { kind: 'range', kvs: [kv], count: 4, more: true },
    { kind: 'delete', deleted: 1, previous: [kv] },
    { kind: 'delete', deleted: 0, previous: [] },
    { kind: 'txn', succeeded: true, results: [{ kind: 'range', kvs: [], count: 0, more: false }] },
  ];
  assert.deepEqual(outcome, { succeeded: false, revision: 7, results });
});

test('txn: one that only reads is repeated as any read; one that writes only with an idempotency key', async () => {
  const done = json({ succeeded: true, revision: 7, results: [] });
  const balsa = async () =>
    connect({ endpoints: [await endpoints.open(inTurn(hangUp, done)), await endpoints.open(done)] });
  const reads: Txn = { failure: [{ get: { key: 'a' } }, { txn: { success: [{ get: { key: 'b' } }] } }] };
  assert.equal((await (await balsa()).txn(reads)).revision, 7);
  const writes: Txn = { failure: [{ txn: { success: [{ delete: { key: 'b' } }] } }] };
  assert.equal((await rejection((await balsa()).txn(writes))).code, 'outcome_unknown');
  assert.equal((await (await balsa()).txn(writes, { idempotencyKey: 'job-1' })).revision, 7);
});

test('txn: what the server refuses is told as it says it', async () => {
  const balsa = connect({ endpoints: await endpoints.open(problem('bad_request', { parameter: 'then[0].put.key' })) });
  const reason = await rejection(balsa.txnOfJson('{"then":[{"put":{}}]}'));
  assert.equal(reason.code, 'bad_request');
  assert.deepEqual(reason.extras, { parameter: 'then[0].put.key' });
});
