// biome-ignore-all lint/suspicious/noThenProperty: a word of the API; nobody awaits these objects
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BalsaError } from '../../contract/errors.ts';
import { keyRange, prefixRange } from '../../contract/key-range.ts';
import type { TxnOperation } from '../../contract/txn.ts';
import { parseTxn } from './txn-request.ts';

const bytes = (text: string): Buffer => Buffer.from(text);
const putOf = (key: string, value: string) =>
  ({
    kind: 'put',
    key: bytes(key),
    value: bytes(value),
    previous: false,
    keepsValue: false,
    keepsLease: false,
  }) satisfies TxnOperation;
const getOf = {
  kind: 'range',
  bounds: {},
  limit: 1000,
  keysOnly: false,
  countOnly: false,
  sort: 'key',
  order: 'asc',
} as const;

/** As it comes out of the body of a request. */
function parse(body: object): ReturnType<typeof parseTxn> {
  return parseTxn(JSON.parse(JSON.stringify(body)));
}

function checkOperation(written: object, expected: TxnOperation): void {
  assert.deepEqual(parse({ then: [written] }).success, [expected]);
}

function checkRefused(body: unknown, parameter: string | undefined, detail: RegExp = /./): void {
  assert.throws(
    () => parseTxn(body),
    (error) => {
      assert.ok(error instanceof BalsaError, String(error));
      assert.equal(error.code, 'bad_request');
      assert.equal(error.extras['parameter'], parameter);
      assert.match(error.detail, detail);
      return true;
    },
    `parameter ${parameter}`,
  );
}

test('txn request: nothing to compare and nothing to do', () => {
  assert.deepEqual(parse({}), { compare: [], success: [], failure: [] });
});

test('txn request: if: every target and every operator, all of them together', () => {
  const a = keyRange(bytes('a'));
  const item = {
    key: 'a',
    exists: true,
    version: { '>': 1, '<': 9 },
    createRevision: { '=': 2 },
    modRevision: { '!=': 5 },
    value: { '=': 'x' },
    lease: { '=': '1A' },
  };
  assert.deepEqual(parse({ if: [item] }).compare, [
    { range: a, is: '!=', target: 'version', value: 0 },
    { range: a, is: '<', target: 'version', value: 9 },
    { range: a, is: '>', target: 'version', value: 1 },
    { range: a, is: '=', target: 'createRevision', value: 2 },
    { range: a, is: '!=', target: 'modRevision', value: 5 },
    { range: a, is: '=', target: 'value', value: bytes('x') },
    { range: a, is: '=', target: 'lease', value: 0x1an },
  ]);
});

test('txn request: if: exists: false; a prefix; bytes that are no text; no lease', () => {
  assert.deepEqual(
    parse({
      if: [
        { prefix: 'a/', exists: false },
        { keyBase64: '/w==', valueBase64: { '<': '/w==' } },
        { start: 'a', end: 'b', lease: { '!=': '0' } },
      ],
    }).compare,
    [
      { range: prefixRange(bytes('a/')), is: '=', target: 'version', value: 0 },
      { range: keyRange(Buffer.of(0xff)), is: '<', target: 'value', value: Buffer.of(0xff) },
      { range: { start: bytes('a'), end: bytes('b') }, is: '!=', target: 'lease', value: 0n },
    ],
  );
});

test('txn request: put: text, bytes, the empty value, and what can be said of it', () => {
  checkOperation({ put: { key: 'a', value: 'b' } }, putOf('a', 'b'));
  checkOperation({ put: { key: 'grün', value: '' } }, putOf('grün', ''));
  checkOperation(
    { put: { keyBase64: '/w==', valueBase64: 'AAE=' } },
    { ...putOf('', ''), key: Buffer.of(0xff), value: Buffer.of(0, 1) },
  );
  checkOperation(
    { put: { key: 'a', value: 'b', lease: '694d81417acd4754', prevKv: true } },
    { ...putOf('a', 'b'), lease: 0x694d81417acd4754n, previous: true },
  );
  checkOperation(
    { put: { key: 'a', ignoreValue: true, ignoreLease: true } },
    { ...putOf('a', ''), keepsValue: true, keepsLease: true },
  );
});

test('txn request: get: all that a list can be asked for', () => {
  checkOperation({ get: { key: 'a' } }, { ...getOf, range: keyRange(bytes('a')) });
  checkOperation({ get: { prefix: '' } }, { ...getOf, range: { start: bytes(''), end: undefined } });
  const bounds = { minModRevision: 2, maxModRevision: 3, minCreateRevision: 4, maxCreateRevision: 5 };
  const shape = { limit: 5, keysOnly: true, countOnly: true, sort: 'value', order: 'desc' } as const;
  checkOperation(
    { get: { start: 'a', end: 'b', revision: 7, ...bounds, ...shape } },
    { ...getOf, ...shape, range: { start: bytes('a'), end: bytes('b') }, revision: 7, bounds },
  );
});

test('txn request: delete', () => {
  checkOperation({ delete: { key: 'a' } }, { kind: 'delete', range: keyRange(bytes('a')), previous: false });
  checkOperation(
    { delete: { prefix: 'a/', prevKv: true } },
    { kind: 'delete', range: prefixRange(bytes('a/')), previous: true },
  );
  checkOperation(
    { delete: { start: '\u0000' } },
    { kind: 'delete', range: { start: bytes('\u0000'), end: undefined }, previous: false },
  );
});

test('txn request: transactions in one another, four deep', () => {
  const nested = { then: [{ txn: { else: [{ txn: { then: [{ put: { key: 'a', value: 'b' } }] } }] } }] };
  const innermost = { compare: [], success: [putOf('a', 'b')], failure: [] };
  const middle = { compare: [], success: [], failure: [{ kind: 'txn', txn: innermost }] };
  assert.deepEqual(parse(nested).success, [{ kind: 'txn', txn: middle }]);
  let deep: object = { then: [{ txn: nested }] };
  parse(deep);
  deep = { then: [{ txn: deep }] };
  checkRefused(deep, 'then[0].txn.then[0].txn.then[0].txn.else[0].txn', /nested too deeply/);
});

test('txn request: a bomb: refused at its depth, without going to its end', () => {
  let bomb: object = {};
  for (let i = 0; i < 10_000; i++) bomb = { then: [{ txn: bomb }] };
  checkRefused(bomb, 'then[0].txn.then[0].txn.then[0].txn.then[0].txn');
});

test('txn request: 128 of each are the most', () => {
  const operations = Array.from({ length: 129 }, (_, i) => ({ put: { key: `${i}`, value: '' } }));
  const comparisons = Array.from({ length: 129 }, (_, i) => ({ key: `${i}`, exists: false }));
  parse({ if: comparisons.slice(1), then: operations.slice(1), else: operations.slice(1) });
  checkRefused({ then: operations }, 'then', /129 operations.*128/);
  checkRefused({ else: operations }, 'else', /129 operations.*128/);
  checkRefused({ if: comparisons }, 'if', /more than 128/);
  const twofold = Array.from({ length: 65 }, (_, i) => ({ key: `${i}`, version: { '>': 1, '<': 5 } }));
  checkRefused({ if: twofold }, 'if', /more than 128/);
});

const put = { key: 'a', value: 'b' };
for (const [body, parameter, detail] of [
  [null, undefined, /^The body must be an object\.$/],
  [[], undefined, /must be an object/],
  ['text', undefined, /must be an object/],
  [{ than: [] }, 'than', /^`than` is no member that is known here; there is if, then, else\.$/],
  [{ then: {} }, 'then', /must be a list/],
  [{ then: null }, 'then', /must be a list/],
  [{ then: [null] }, 'then[0]', /must be an object/],
  [{ then: [{}] }, 'then[0]', /one member: put, get, delete or txn/],
  [{ then: [{ put, get: { key: 'a' } }] }, 'then[0]', /one member/],
  [{ then: [{ put }, { post: put }] }, 'then[1].post', /there is put, get, delete, txn/],
  [{ then: [{ put }, { put }, { put: { value: 'b' } }] }, 'then[2].put.key', /is missing/],
  [{ then: [{ put: { key: '', value: 'b' } }] }, 'then[0].put.key', /is empty/],
  [{ then: [{ put: { key: 5, value: 'b' } }] }, 'then[0].put.key', /must be text/],
  [{ then: [{ put: { key: '\ud800', value: 'b' } }] }, 'then[0].put.key', /surrogate/],
  [{ then: [{ put: { ...put, keyBase64: 'YQ==' } }] }, 'then[0].put.key', /and keyBase64 exclude each other/],
  [{ then: [{ put: { keyBase64: 'YQ', value: '' } }] }, 'then[0].put.keyBase64', /base64 with padding/],
  [{ then: [{ put: { keyBase64: 'a b=', value: '' } }] }, 'then[0].put.keyBase64', /base64/],
  [{ then: [{ put: { keyBase64: '_w==', value: '' } }] }, 'then[0].put.keyBase64', /base64/],
  [{ then: [{ put: { keyBase64: 5, value: '' } }] }, 'then[0].put.keyBase64', /base64/],
  [{ then: [{ put: { key: 'a' } }] }, 'then[0].put.value', /is missing; send ""/],
  [{ then: [{ put: { key: 'a', value: null } }] }, 'then[0].put.value', /must be text/],
  [{ then: [{ put: { ...put, ignoreValue: true } }] }, 'then[0].put.value', /and ignoreValue exclude/],
  [{ then: [{ put: { ...put, lease: '1', ignoreLease: true } }] }, 'then[0].put.lease', /and ignoreLease exclude/],
  [{ then: [{ put: { ...put, lease: 0 } }] }, 'then[0].put.lease', /id of a lease/],
  [{ then: [{ put: { ...put, lease: '0' } }] }, 'then[0].put.lease', /not 0/],
  [{ then: [{ put: { ...put, lease: '8000000000000000' } }] }, 'then[0].put.lease', /id of a lease/],
  [{ then: [{ put: { ...put, prevKv: 'true' } }] }, 'then[0].put.prevKv', /true or false/],
  [{ then: [{ put: { ...put, ttl: 5 } }] }, 'then[0].put.ttl', /no member that is known/],
  [{ then: [{ put: JSON.parse('{"__proto__": 1, "key": "a", "value": "b"}') }] }, 'then[0].put.__proto__', /no member/],
  [{ else: [{ get: {} }] }, 'else[0].get', /names no keys/],
  [{ else: [{ get: { key: 'a', prefix: 'a' } }] }, 'else[0].get', /several ways/],
  [{ else: [{ get: { start: 'a', end: '' } }] }, 'else[0].get.end', /is empty/],
  [{ else: [{ get: { key: 'a', limit: 0 } }] }, 'else[0].get.limit', /from 1 to 10000/],
  [{ else: [{ get: { key: 'a', revision: 0 } }] }, 'else[0].get.revision', /whole number/],
  [{ else: [{ get: { key: 'a', revision: 1.5 } }] }, 'else[0].get.revision', /whole number/],
  [{ else: [{ get: { key: 'a', revision: 2 ** 53 } }] }, 'else[0].get.revision', /whole number/],
  [{ else: [{ get: { key: 'a', minModRevision: '5' } }] }, 'else[0].get.minModRevision', /whole number/],
  [{ else: [{ get: { key: 'a', sort: 'size' } }] }, 'else[0].get.sort', /one of key, .*value/],
  [{ else: [{ get: { key: 'a', order: 'up' } }] }, 'else[0].get.order', /one of asc, desc/],
  [{ else: [{ get: { key: 'a', after: 'x' } }] }, 'else[0].get.after', /no member/],
  [{ then: [{ delete: {} }] }, 'then[0].delete', /names no keys/],
  [{ then: [{ delete: { prefix: '' } }] }, 'then[0].delete', /not empty; "start": "\\u0000" is all keys/],
  [{ then: [{ delete: { end: 'b' } }] }, 'then[0].delete', /not empty/],
  [{ then: [{ txn: { then: [{ put: { value: '' } }] } }] }, 'then[0].txn.then[0].put.key', /is missing/],
  [{ if: [{ key: 'a' }] }, 'if[0]', /compares nothing/],
  [{ if: [{ exists: true }] }, 'if[0]', /names no keys/],
  [{ if: [{ key: 'a', exists: 1 }] }, 'if[0].exists', /true or false/],
  [{ if: [{ prefix: 'a', exists: true }] }, 'if[0].exists', /only for a `key`/],
  [{ if: [{ key: 'a', version: 1 }] }, 'if[0].version', /must be an object/],
  [{ if: [{ key: 'a', version: {} }] }, 'if[0].version', /needs an operator/],
  [{ if: [{ key: 'a', version: { '>=': 1 } }] }, 'if[0].version.>=', /there is =, !=, <, >/],
  [{ if: [{ key: 'a', version: { '=': -1 } }] }, 'if[0].version.=', /whole number from 0/],
  [{ if: [{ key: 'a', modRevision: { '=': 2 ** 53 } }] }, 'if[0].modRevision.=', /whole number/],
  [{ if: [{ key: 'a', value: { '=': 5 } }] }, 'if[0].value.=', /must be text/],
  [{ if: [{ key: 'a', lease: { '=': 5 } }] }, 'if[0].lease.=', /id of a lease/],
  [{ if: [{ key: 'a', size: { '=': 5 } }] }, 'if[0].size', /no member/],
] as const) {
  test(`txn request: refused: ${parameter ?? 'the body'}: ${JSON.stringify(body)?.slice(0, 80)}`, () => {
    checkRefused(body, parameter, detail);
  });
}
