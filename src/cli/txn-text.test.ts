import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Txn } from '../client/index.ts';
import { CommandError } from './exit-codes.ts';
import { txnOfText } from './txn-text.ts';

const bytes = (text: string): Buffer => Buffer.from(text);

test('txn text: three blocks, as in the manual of etcdctl', () => {
  const txn = txnOfText('mod("key1") > "0"\n\nput key1 "overwrote-key1"\n\nput key1 "created-key1"\nget key1\n\n');
  assert.deepEqual(txn, {
    compare: [{ key: bytes('key1'), modRevision: { '>': 0 } }],
    success: [{ put: { key: bytes('key1'), value: bytes('overwrote-key1') } }],
    failure: [{ put: { key: bytes('key1'), value: bytes('created-key1') } }, { get: { key: bytes('key1') } }],
  } satisfies Txn);
});

test('txn text: blocks may be empty or missing, and lines may end as on Windows', () => {
  const put = { put: { key: bytes('a'), value: bytes('1') } };
  assert.deepEqual(txnOfText('\nput a 1\n\n'), { compare: [], success: [put], failure: [] });
  assert.deepEqual(txnOfText('\r\n\r\nput a 1\r\n'), { compare: [], success: [], failure: [put] });
});

const comparisons: readonly [line: string, comparison: object][] = [
  ['ver("a") = "2"', { version: { '=': 2 } }],
  ['version("a") != 2', { version: { '!=': 2 } }],
  ['c("a") < "3"', { createRevision: { '<': 3 } }],
  ['create( "a" )>"3"', { createRevision: { '>': 3 } }],
  ['m("a") = "4"', { modRevision: { '=': 4 } }],
  ['val("a") = "x = \\"y\\""', { value: { '=': bytes('x = "y"') } }],
  ['value(`a`) = `\\n`', { value: { '=': bytes('\\n') } }],
  ['lease("a") = "694d5765fc71500b"', { lease: { '=': 0x694d5765fc71500bn } }],
  ['lease("a") != 0', { lease: { '!=': 0n } }],
];
for (const [line, comparison] of comparisons) {
  test(`txn text: ${line}`, () => {
    assert.deepEqual(txnOfText(line).compare, [{ key: bytes('a'), ...comparison }]);
  });
}

const operations: readonly [line: string, operation: object][] = [
  ['put a b --lease=ff --prev-kv', { put: { key: bytes('a'), value: bytes('b'), lease: 255n, previous: true } }],
  ['put a --ignore-value --ignore-lease', { put: { key: bytes('a'), keepsValue: true, keepsLease: true } }],
  ['put -- -k -v', { put: { key: bytes('-k'), value: bytes('-v') } }],
  ['get a --prefix --limit 2', { get: { prefix: bytes('a'), limit: 2 } }],
  ['get a b --rev=5 --keys-only', { get: { start: bytes('a'), end: bytes('b'), revision: 5, keysOnly: true } }],
  [
    'get a --from-key --sort-by MODIFY --order DESCEND',
    { get: { start: bytes('a'), sort: 'modRevision', order: 'desc' } },
  ],
  ['get "" --prefix --count-only', { get: { prefix: bytes(''), countOnly: true } }],
  ['del a --prev-kv', { delete: { key: bytes('a'), previous: true } }],
  ['del a b', { delete: { start: bytes('a'), end: bytes('b') } }],
];
for (const [line, operation] of operations) {
  test(`txn text: ${line}`, () => {
    assert.deepEqual(txnOfText(`\n${line}`).success, [operation]);
  });
}

const refused: readonly [text: string, problem: RegExp][] = [
  ['mod(key1) > "0"', /^line 1: "mod\(key1\) > "0"" is no comparison; write one as mod\("key1"\) > "0"/],
  ['mod("a") > "x"', /^line 1: must be compared with a whole number, not "x"/],
  ['mode("a") > "1"', /^line 1: "mode" is nothing to compare/],
  ['lease("a") = "xyz"', /^line 1: a lease: must be a lease id/],
  ['\nput a', /^line 2: put needs a key and a value/],
  ['\nput a b c', /^line 2: put needs a key and a value/],
  ['\nput a b --ignore-value', /^line 2: put needs a key and a value, or a key and --ignore-value/],
  ['\nget', /^line 2: get needs a key/],
  ['\nget a --frefix', /^line 2: Unknown option '--frefix'/],
  ['\nget a --limit 0', /^line 2: --limit: must be a whole number above 0/],
  ['\nget a --sort-by SIZE', /^line 2: --sort-by: must be one of KEY, /],
  ['\nget a --order UP', /^line 2: --order: must be ASCEND or DESCEND/],
  ['\nget a b --prefix', /^line 2: --prefix, --from-key and the end of a range contradict each other/],
  ['\ndelete a', /^line 2: "delete a" is no operation; write put KEY VALUE, get KEY or del KEY/],
  ['\n\n\nput a b', /^line 4: a transaction ends with its third block/],
];
for (const [text, problem] of refused) {
  test(`txn text: refused: ${JSON.stringify(text)}`, () => {
    assert.throws(
      () => txnOfText(text),
      (reason) => reason instanceof CommandError && problem.test(reason.message),
    );
  });
}
