import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32c } from '../base/checksum.ts';
import { seededRandom } from '../base/random.ts';
import type { Entry } from '../raft/types.ts';
import { EntryCache } from './entry-cache.ts';
import { IndexRanges } from './index-ranges.ts';
import { baseKey, entryKey, groupRange, headerKey, parseLogKey, tailKey } from './log-keys.ts';
import {
  chainAfter,
  chainSeed,
  decodeBase,
  decodeChainedEntry,
  decodeHeader,
  decodeTail,
  encodeBase,
  encodeChainedEntry,
  encodeHeader,
  encodeTail,
  type Tail,
} from './log-records.ts';
import { bootstrap, commands } from './testing/test-entries.ts';

const tail: Tail = {
  sequence: 9,
  bootId: 'b007',
  hardState: { term: 4, vote: 'a1', commit: 2 },
  firstIndex: 1,
  lastIndex: 3,
  lastTerm: 4,
  baseTerm: 0,
  baseChain: 0x01020304,
  chain: 0xfffefdfc,
};
const base = { index: 2 ** 33, term: 4, chain: 0x01020304, configuration: { ...bootstrap, voters: ['a1'] } };
const header = { clusterId: 'cafe', memberId: 'a1', groupId: 1, bootstrap };

test('log keys: their order is header, base, entries by index, tail, group by group', () => {
  const keys = [
    headerKey(1),
    baseKey(1),
    entryKey(1, 1),
    entryKey(1, 2 ** 32 - 1),
    entryKey(1, 2 ** 32),
    tailKey(1),
    headerKey(2),
    tailKey(2 ** 32 - 1),
  ];
  assert.deepEqual([...keys].sort(Buffer.compare), keys);
  assert.equal(entryKey(1, 2 ** 32 + 5).toString('hex'), '00000001200000000100000005');
  assert.deepEqual(parseLogKey(entryKey(7, 2 ** 40)), { kind: 'entry', index: 2 ** 40 });
  const { gte, lte } = groupRange(1);
  assert.deepEqual(
    keys.map((key) => Buffer.compare(key, gte) >= 0 && Buffer.compare(key, lte) <= 0),
    [true, true, true, true, true, true, false, false],
  );
});

test('log records: the formats on disk do not move', () => {
  assert.equal(
    encodeTail(tail).toString('hex'),
    '01000000000000000900000000000000040000000000000002000000000000000100000000000000030000000000000004' +
      '000000000000000001020304fffefdfc000000000000000000026131000462303037f8d151e7',
  );
  assert.equal(encodeHeader(header).toString('latin1').slice(1, 16), '\0\x04cafe\0\x02a1\0\0\0\x01\0');
  assert.equal(
    encodeBase(base).toString('hex'),
    '0100000002000000000000000000000004010203040057' +
      Buffer.from(JSON.stringify(base.configuration)).toString('hex') +
      'dd4f8d55',
  );
  const [entry] = commands(1, 1, { bytes: 2 });
  assert(entry !== undefined);
  const value = encodeChainedEntry({ entry, chain: 0x0a0b0c0d });
  assert.equal(value.subarray(0, 8).toString('hex'), '0a0b0c0d01020000');
});

test('log records: what is written comes back', () => {
  for (const vote of [undefined, 'ffffffffffffffff']) {
    const hardState = { term: 2 ** 40, vote, commit: 2 ** 50, suspectTerm: 2 ** 39 };
    const written: Tail = { ...tail, hardState, lastIndex: 0, bootId: '' };
    assert.deepEqual(decodeTail(encodeTail(written)), written);
  }
  assert.deepEqual(decodeHeader(encodeHeader(header)), header);
  assert.deepEqual(decodeBase(encodeBase(base)), base);
  const [entry] = commands(5, 5);
  assert(entry !== undefined);
  assert.deepEqual(decodeChainedEntry(encodeChainedEntry({ entry, chain: 7 })), { entry, chain: 7 });
});

test('log records: every flipped bit and arbitrary bytes are refused without an error', () => {
  const decoders: [name: string, record: Buffer, decode: (bytes: Buffer) => unknown][] = [
    ['tail', encodeTail(tail), decodeTail],
    ['header', encodeHeader(header), decodeHeader],
    ['base', encodeBase(base), decodeBase],
  ];
  const seed = 11;
  const random = seededRandom(seed);
  for (const [name, record, decode] of decoders) {
    for (let bit = 0; bit < record.length * 8; bit++) {
      const flipped = Buffer.from(record);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      assert.equal(decode(flipped), undefined, `${name}, bit ${bit}`);
    }
    for (let length = 0; length < record.length; length++) {
      assert.equal(decode(record.subarray(0, length)), undefined, `${name}, length ${length}`);
    }
    for (let round = 0; round < 5000; round++) {
      const bytes = Buffer.from(Array.from({ length: random.below(100) }, () => random.below(256)));
      assert.equal(decode(bytes), undefined, `${name}, seed ${seed}, round ${round}`);
    }
  }
});

test('log records: a checksum that fits does not make up for fields that do not', () => {
  const whole = encodeTail(tail);
  const isRefused = (body: Buffer): boolean => decodeTail(sealed(body)) === undefined;
  const body = whole.subarray(0, -4);
  assert.equal(isRefused(body), false);
  for (let length = 1; length < body.length; length++) assert(isRefused(body.subarray(0, length)), `length ${length}`);
  assert(isRefused(Buffer.concat([body, Buffer.alloc(1)])));
  // A sequence of 2^53, and an index of 2^53, which would be rounded.
  for (const at of [1, 25])
    assert(isRefused(Buffer.concat([body.subarray(0, at), Buffer.from('00200000', 'hex'), body.subarray(at + 4)])));
  const seed = 12;
  const random = seededRandom(seed);
  for (let round = 0; round < 5000; round++) {
    const bytes = Buffer.from(body);
    for (let i = random.below(4); i >= 0; i--) bytes[random.below(bytes.length)] = random.below(256);
    decodeTail(sealed(bytes));
    decodeHeader(sealed(bytes));
    decodeBase(sealed(bytes));
  }
});

test('chain: every entry counts, also one without data, and its place too', () => {
  const seed = chainSeed('cafe', 1);
  assert.notEqual(seed, chainSeed('cafe', 2));
  assert.notEqual(seed, chainSeed('beef', 1));
  const noop = (term: number): Entry => ({ term, index: 1, type: 'noop', data: Buffer.alloc(0) });
  const chains = Array.from({ length: 1000 }, (_, i) => chainAfter(seed, noop(i + 1)));
  assert.equal(new Set(chains).size, 1000);
  const [first, second] = commands(1, 2);
  assert(first !== undefined && second !== undefined);
  assert.notEqual(chainAfter(chainAfter(seed, first), second), chainAfter(chainAfter(seed, second), first));
});

test('entry cache: holds the newest entries up to its bytes, and always the newest one', () => {
  const cache = new EntryCache(10_000);
  const seed = 4;
  const random = seededRandom(seed);
  let last = 0;
  for (let step = 0; step < 5000; step++) {
    const from = random.below(10) === 0 ? Math.max(1, last - random.below(5)) : last + 1;
    cache.truncateFrom(from);
    const [entry] = commands(from, from, { bytes: random.below(500) });
    assert(entry !== undefined);
    cache.push({ entry, chain: from });
    last = from;
    const first = cache.firstIndex ?? 0;
    assert(first <= last && first > last - 45, `seed ${seed}, step ${step}`);
    assert.equal(cache.get(last)?.entry, entry);
    assert.equal(cache.get(first)?.entry.index, first);
    assert.equal(cache.get(first - 1), undefined);
    assert.equal(cache.get(last + 1), undefined);
  }
  const small = new EntryCache(1);
  for (const entry of commands(1, 9)) small.push({ entry, chain: 0 });
  assert.equal(small.firstIndex, 9);
});

test('index ranges: joined, counted, and bounded', () => {
  const ranges = new IndexRanges();
  assert(ranges.isEmpty);
  ranges.add(5, 5);
  assert.equal(ranges.describe(), '5');
  ranges.add(6, 9);
  ranges.add(12, 12);
  assert.equal(ranges.describe(), '5 to 9, 12 (6 in all)');
  for (let index = 20; index < 20_000; index += 2) ranges.add(index, index);
  assert.match(ranges.describe(), /^5 to 9, 12, 20, .*, 34, and others \(9996 in all\)$/);
});

function sealed(body: Buffer): Buffer {
  const record = Buffer.concat([body, Buffer.alloc(4)]);
  record.writeUInt32BE(crc32c(body), body.length);
  return record;
}
