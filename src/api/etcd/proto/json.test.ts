import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromJson, MalformedJson, toJson } from './json.ts';
import { PutRequest, RangeRequest, RangeResponse, TxnRequest } from './messages/kv.ts';
import { LeaseGrantRequest } from './messages/lease.ts';
import { WatchRequest } from './messages/watch.ts';

test('json: bytes in base64, 64 bits as text, enumerations by name, nothing that is zero', () => {
  const kvs = [{ key: Buffer.from('k'), modRevision: 3, lease: 2n ** 63n - 1n }];
  const answer = { header: { clusterId: 2n ** 64n - 1n }, kvs, more: false, count: 1 };
  assert.equal(
    toJson(RangeResponse, answer),
    '{"header":{"cluster_id":"18446744073709551615"},"kvs":[{"key":"aw==","mod_revision":"3","lease":"9223372036854775807"}],"count":"1"}',
  );
  assert.equal(toJson(RangeRequest, { sortOrder: 2, sortTarget: 0 }), '{"sort_order":"DESCEND"}');
});

test('json: both names of a field, numbers as text or not, enumerations by name or number, null for nothing', () => {
  for (const text of [
    '{"key":"aw==","range_end":"AA==","sort_order":"DESCEND","limit":"5","serializable":null,"unknown":[{}]}',
    '{"key":"aw","rangeEnd":"AA","sortOrder":2,"limit":5}',
  ]) {
    const { key, rangeEnd, sortOrder, limit, serializable } = fromJson(RangeRequest, text);
    assert.deepEqual(
      [Buffer.from(key).toString(), Buffer.from(rangeEnd).toString(), sortOrder, limit, serializable],
      ['k', '\0', 2, 5n, false],
    );
  }
  assert.equal(fromJson(LeaseGrantRequest, '{"ID":7,"TTL":"9"}').ttl, 9n);
  assert.ok(fromJson(WatchRequest, '{"progressRequest":{}}').progressRequest);
});

test('json: a number that JavaScript would round is read from the text', () => {
  assert.equal(fromJson(LeaseGrantRequest, '{"ID": 9223372036854775807}').id, 2n ** 63n - 1n);
  assert.equal(fromJson(LeaseGrantRequest, '{"ID":-9007199254740993 }').id, -(2n ** 53n + 1n));
  const digits = Buffer.from('value').toString('base64');
  assert.equal(
    Buffer.from(fromJson(PutRequest, `{"value":"${digits}","x":"a \\" 1234567890123456789"}`).value).toString(),
    'value',
  );
});

test('json: a text of three million letters', () => {
  const value = Buffer.alloc(2_000_000, 'x').toString('base64');
  assert.equal(fromJson(PutRequest, `{"value":"${value}"}`).value.length, 2_000_000);
});

test('json: what is wrong is named with its place', () => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    ['', /JSON/],
    ['[]', /the body must be an object/],
    ['{"success":{}}', /success must be a list/],
    ['{"success":[{"requestPut":{"key":1}}]}', /success\[0\]\.requestPut\.key must be base64/],
    ['{"success":[{"requestPut":{"key":"a"}}]}', /key must be base64/],
    ['{"success":[{"requestPut":{"lease":1.5}}]}', /lease must be a whole number/],
    ['{"success":[{"requestPut":{"lease":"9223372036854775808"}}]}', /lease must be from/],
    ['{"success":[{"requestRange":{"sort_order":"UP"}}]}', /sort_order must be one of NONE/],
    ['{"success":[{"requestPut":{"prev_kv":"yes"}}]}', /prev_kv must be true or false/],
  ];
  for (const [text, message] of wrong) {
    assert.throws(
      () => fromJson(TxnRequest, text),
      (error) => error instanceof MalformedJson && message.test(error.message),
      text,
    );
  }
  const deep = `${'{"success":[{"requestTxn":'.repeat(40)}{}${'}]}'.repeat(40)}`;
  assert.throws(() => fromJson(TxnRequest, deep), /is nested too deep/);
});
