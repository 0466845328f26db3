import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../base/random.ts';
import { decodeEntry, encodeEntry, entryRecordOverheadBytes } from './entry-record.ts';
import type { Entry } from './types.ts';

const entry: Entry = { term: 7, index: 2 ** 40 + 3, type: 'command', data: Buffer.from('balsa') };

test('entry record: the format on disk and between members does not move', () => {
  const record = encodeEntry(entry);
  assert.equal(record.toString('hex'), '01020000000000000007000001000000000300000005c8257d7162616c7361');
});

test('entry record: every type, term and index comes back as it was', () => {
  for (const type of ['noop', 'command', 'configuration'] as const) {
    for (const number of [1, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
      const data = type === 'noop' ? Buffer.alloc(0) : Buffer.alloc(300, 0xff);
      const original: Entry = { term: number, index: number, type, data };
      assert.deepEqual(decodeEntry(Buffer.from(encodeEntry(original))), original);
    }
  }
});

test('entry record: an entry is encoded once, and a decoded one not at all', () => {
  const own: Entry = { ...entry };
  const record = encodeEntry(own);
  assert.equal(encodeEntry(own), record);
  const decoded = decodeEntry(record);
  assert(decoded !== undefined);
  assert.equal(encodeEntry(decoded), record);
  // A copy is another entry: what is kept does not travel along.
  assert.notEqual(encodeEntry({ ...own }), record);
});

test('entry record: what is kept with an entry is invisible, also on a frozen one', () => {
  const frozen = Object.freeze({ ...entry });
  assert.equal(encodeEntry(frozen), encodeEntry(frozen));
  assert.deepEqual(Reflect.ownKeys(frozen), ['term', 'index', 'type', 'data']);
  assert.deepEqual(frozen, { ...entry });
});

test('entry record: bytes that are no Buffer are decoded in place', () => {
  const frame = new Uint8Array(100);
  frame.set(encodeEntry(entry), 10);
  const decoded = decodeEntry(frame.subarray(10, 10 + entryRecordOverheadBytes + entry.data.length));
  assert.deepEqual(decoded, entry);
});

test('entry record: every flipped bit and every other length is noticed', () => {
  const record = encodeEntry({ ...entry });
  for (let bit = 0; bit < record.length * 8; bit++) {
    const flipped = Buffer.from(record);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    assert.equal(decodeEntry(flipped), undefined, `bit ${bit}`);
  }
  for (let length = 0; length < record.length; length++) {
    assert.equal(decodeEntry(record.subarray(0, length)), undefined, `length ${length}`);
  }
  assert.equal(decodeEntry(Buffer.concat([record, Buffer.alloc(1)])), undefined);
});

test('entry record: arbitrary bytes are refused without an error', () => {
  const seed = 20;
  const random = seededRandom(seed);
  for (let round = 0; round < 20_000; round++) {
    const bytes = Buffer.from(Array.from({ length: random.below(64) }, () => random.below(256)));
    // Most would fail at the first byte; so half of them begin as a record does.
    if (round % 2 === 0) bytes.set([1, 2].slice(0, bytes.length));
    assert.equal(decodeEntry(bytes), undefined, `seed ${seed}, round ${round}`);
  }
});

test('entry record: a term or index that no number can hold exactly is a mistake of the caller', () => {
  for (const wrong of [0, -1, 1.5, 2 ** 53, Number.NaN]) {
    assert.throws(() => encodeEntry({ ...entry, term: wrong }), { name: 'InvariantViolation' });
    assert.throws(() => encodeEntry({ ...entry, index: wrong }), { name: 'InvariantViolation' });
  }
});
