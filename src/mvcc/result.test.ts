import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MalformedBytes, UnknownFormat } from './byte-layout.ts';
import { type CommandResult, decodeResult, encodeResult } from './result.ts';
import { fuzz } from './testing/fuzz.ts';

const previous = { key: Buffer.from('k'), value: Buffer.from('v'), createRevision: 2, modRevision: 3, version: 2 };
const empty = { ...previous, value: Buffer.alloc(0) };

const samples: readonly CommandResult[] = [
  { kind: 'put', revision: 4, created: true, createRevision: 4, version: 1, previous: undefined },
  { kind: 'put', revision: 2 ** 53 - 1, created: false, createRevision: 2, version: 3, previous },
  { kind: 'delete', revision: 1, deleted: 0, previous: undefined },
  { kind: 'delete', revision: 5, deleted: 1, previous: empty },
  { kind: 'conditionFailed', revision: 5, modRevision: undefined },
  { kind: 'conditionFailed', revision: 5, modRevision: 4 },
  { kind: 'refused', revision: 5, refusal: 'range_too_large', figures: [10, 100] },
  { kind: 'refused', revision: 5, refusal: 'token_reused', figures: [] },
  { kind: 'leaseGranted', revision: 5, id: 2n ** 63n - 1n, ttl: 9_000_000_000 },
  {
    kind: 'txn',
    revision: 6,
    succeeded: true,
    results: [
      { kind: 'put', created: false, createRevision: 2, version: 3, previous: { ...previous, lease: 7n } },
      { kind: 'range', kvs: [previous, empty], count: 3, more: true },
      { kind: 'delete', deleted: 1, previous: [previous] },
      { kind: 'txn', succeeded: false, results: [] },
    ],
  },
  { kind: 'done', revision: 1 },
];

test('result: every kind comes back as it was', () => {
  for (const result of samples) {
    assert.deepEqual(decodeResult(encodeResult(result)), result);
    assert.deepEqual(decodeResult(new Uint8Array(encodeResult(result))), result);
  }
});

test('result: a member that forwards gets the same bytes in every version', () => {
  assert.equal(
    encodeResult(samples[1] ?? assert.fail()).toString('hex'),
    '0101001fffffffffffff' +
      '00' +
      '0000000000000002' +
      '0000000000000003' + // the put
      '01' +
      '0000000000000002' +
      '0000000000000003' +
      '0000000000000002' +
      '0000000000000000' +
      '000000016b' +
      '0000000176', // what was before
  );
});

test('result: of a later format: says that the sender is newer', () => {
  assert.throws(() => decodeResult(Buffer.from([2])), { name: 'UnknownFormat', message: /older than the sender/ });
});

test('result: any bytes decode to a result that encodes to them, or are refused', () => {
  fuzz(1_002, samples.map(encodeResult), 20_000, (bytes) => {
    try {
      assert.deepEqual(encodeResult(decodeResult(bytes)), bytes);
    } catch (reason) {
      if (!(reason instanceof MalformedBytes || reason instanceof UnknownFormat)) throw reason;
    }
  });
});
