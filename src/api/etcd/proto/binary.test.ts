import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode, encode, MalformedMessage } from './binary.ts';
import { Member } from './messages/cluster.ts';
import { Compare, KeyValue, PutRequest, RangeRequest, RangeResponse, TxnRequest } from './messages/kv.ts';
import { WatchCreateRequest } from './messages/watch.ts';

test('binary: golden bytes, as protoc writes them', () => {
  const put = { key: Buffer.from('k'), value: Buffer.from('v'), lease: 2n ** 53n + 1n, prevKv: true };
  const golden = '0a016b120176188180808080808010' + '2001';
  assert.equal(Buffer.from(encode(PutRequest, put)).toString('hex'), golden);
  assert.deepEqual(
    plain(decode(PutRequest, Buffer.from(golden, 'hex'))),
    plain({ ...put, ignoreValue: false, ignoreLease: false }),
  );
});

test('binary: numbers of 64 bits come through exactly (protobufjs writes a bigint as 0)', () => {
  for (const lease of [0n, 1n, 2n ** 31n, 2n ** 32n, 2n ** 53n + 1n, 2n ** 63n - 1n, -1n, -(2n ** 63n)]) {
    assert.equal(decode(KeyValue, encode(KeyValue, { lease })).lease, lease);
  }
  for (const id of [2n ** 64n - 1n, 2n ** 63n, 4_294_967_296n])
    assert.equal(decode(Member, encode(Member, { id })).id, id);
  assert.equal(decode(KeyValue, encode(KeyValue, { modRevision: 2 ** 40 })).modRevision, 2n ** 40n);
});

test('binary: what is not known is skipped; of a field that comes twice, and of a oneof, the last one counts', () => {
  const unknown = Buffer.from('9a060568656c6c6f' + '980601' + '0a0161' + '0a0162', 'hex');
  assert.equal(Buffer.from(decode(PutRequest, unknown).key).toString(), 'b');
  const both = Buffer.concat([encode(Compare, { version: 7 }), encode(Compare, { value: Buffer.from('v') })]);
  assert.deepEqual([decode(Compare, both).version, Buffer.from(decode(Compare, both).value).toString()], [0n, 'v']);
});

test('binary: a page of keys that comes again is the same bytes, with a header and a count of their own', () => {
  const kvs = Array.from({ length: 100 }, (_, i) => ({
    key: Buffer.from(`k${i}`),
    value: Buffer.from('v'),
    version: i,
  }));
  for (const count of [100, 100, 200]) {
    const fresh = encode(RangeResponse, { header: { revision: count }, kvs: [...kvs], count });
    assert.deepEqual(encode(RangeResponse, { header: { revision: count }, kvs, count }), fresh);
  }
});

test('binary: lists of numbers are read packed and one by one', () => {
  assert.deepEqual(decode(WatchCreateRequest, Buffer.from('2a020001', 'hex')).filters, [0, 1]);
  assert.deepEqual(decode(WatchCreateRequest, Buffer.from('28002801', 'hex')).filters, [0, 1]);
});

test('binary: what is cut short, too deep or a group is refused', () => {
  const nested = (depth: number): Buffer =>
    Array.from({ length: depth }).reduce<Buffer>((inner) => delimited(0x12, delimited(0x22, inner)), Buffer.alloc(0));
  assert.doesNotThrow(() => decode(TxnRequest, nested(10)));
  assert.throws(() => decode(TxnRequest, nested(40)), MalformedMessage);
  for (const broken of ['0a05', '0aff', '13', '18', '0aff ffff ff0f']) {
    assert.throws(() => decode(RangeRequest, Buffer.from(broken.replaceAll(' ', ''), 'hex')), MalformedMessage);
  }
});

function delimited(tag: number, inner: Buffer): Buffer {
  const length =
    inner.length < 128 ? Buffer.of(inner.length) : Buffer.of((inner.length & 0x7f) | 0x80, inner.length >> 7);
  return Buffer.concat([Buffer.of(tag), length, inner]);
}

function plain(message: object): unknown {
  const readable = Object.entries(message).map(([name, value]) => [
    name,
    value instanceof Uint8Array ? Buffer.from(value).toString() : value,
  ]);
  return Object.fromEntries(readable.sort());
}
