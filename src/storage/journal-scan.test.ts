import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../base/random.ts';
import { type JournalScan, JournalScanner, type JournalScanOptions, journalBlockBytes } from './journal-scan.ts';
import { applyVersionEdit, emptyManifest } from './leveldb-manifest.ts';
import { batch, JournalWriter } from './testing/journal-writer.ts';

const batches: JournalScanOptions = { content: 'batches' };

test('journal scan: an empty file is intact', () => {
  assert.deepEqual(scan(Buffer.alloc(0)), { state: 'intact', records: 0, problem: undefined, nextSequence: undefined });
});

test('journal scan: records of every length around a block are put together', () => {
  for (let left = 0; left <= 20; left++) {
    const journal = new JournalWriter();
    journal.append(batch(1, 1, journalBlockBytes - 7 - left));
    journal.append(batch(2, 3, 100_000));
    journal.append(batch(5, 1, 20));
    assert.deepEqual(scan(journal.bytes()), { state: 'intact', records: 3, problem: undefined, nextSequence: 6 });
  }
});

test('journal scan: a file cut anywhere is torn, or intact up to there', () => {
  const journal = new JournalWriter();
  for (let sequence = 1; sequence <= 4; sequence++) journal.append(batch(sequence, 1, 20_000));
  const bytes = journal.bytes();
  const whole = new Set([0, ...journal.ends]);
  for (let cut = 0; cut < bytes.length; cut += 61) {
    const { state, records } = scan(bytes.subarray(0, cut));
    assert.equal(state, whole.has(cut) ? 'intact' : 'torn', `cut at ${cut}`);
    assert.equal(records, journal.ends.filter((end) => end <= cut).length);
  }
  for (const end of journal.ends) assert.equal(scan(bytes.subarray(0, end)).state, 'intact');
  assert.equal(scan(bytes.subarray(0, journalBlockBytes)).problem?.what, 'a record has no end');
});

test('journal scan: zeros or leftovers behind the last record are a torn end', () => {
  const journal = new JournalWriter();
  journal.append(batch(1, 1, 300));
  for (const rest of [Buffer.alloc(3), Buffer.alloc(100_000), Buffer.alloc(500, 0xee)]) {
    const found = scan(Buffer.concat([journal.bytes(), rest]));
    assert.deepEqual([found.state, found.records], ['torn', 1]);
  }
});

test('journal scan: the last write torn into blocks of which some arrived is a torn end', () => {
  const journal = new JournalWriter();
  journal.append(batch(1, 1, 300));
  journal.append(batch(2, 50, 150_000));
  const bytes = journal.bytes();
  // The disk wrote the last blocks and not the one in which the batch begins.
  bytes.fill(0, 4096, journalBlockBytes);
  assert.deepEqual(pick(scan(bytes)), ['torn', 1]);
  bytes.fill(0, 4096, 2 * journalBlockBytes);
  assert.deepEqual(pick(scan(bytes)), ['torn', 1]);
  // The first write of all, whose later parts look like the head of a batch.
  const only = new JournalWriter();
  only.append(Buffer.concat([batch(1, 1, 12), Buffer.alloc(150_000)]));
  assert.deepEqual(pick(scan(only.bytes().fill(0, 0, journalBlockBytes))), ['torn', 0]);
});

test('journal scan: a flipped bit with a later write behind it is damage, wherever it is', () => {
  const journal = new JournalWriter();
  for (let sequence = 1; sequence <= 5; sequence++) journal.append(batch(sequence, 1, 200));
  const bytes = journal.bytes();
  const lastBegin = journal.ends[3] ?? 0;
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = Buffer.from(bytes);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    assert.equal(scan(flipped).state, bit >> 3 < lastBegin ? 'damaged' : 'torn', `bit ${bit}`);
  }
});

test('journal scan: a zeroed block in the middle is damage', () => {
  const journal = new JournalWriter();
  for (let sequence = 1; sequence <= 40; sequence++) journal.append(batch(sequence, 1, 5000));
  const bytes = journal.bytes();
  bytes.fill(0, 2 * journalBlockBytes, 3 * journalBlockBytes);
  const { state, problem } = scan(bytes);
  assert.equal(state, 'damaged');
  assert(problem !== undefined && problem.offset <= 2 * journalBlockBytes);
});

test('journal scan: intact records that do not follow one another are damage', () => {
  const check = (what: RegExp, ...payloads: Buffer[]): void => {
    const journal = new JournalWriter();
    for (const payload of payloads) journal.append(payload);
    const { state, problem } = scan(journal.bytes());
    assert.equal(state, 'damaged');
    assert.match(problem?.what ?? '', what);
  };
  check(/batch 9 stands where 3 should follow/, batch(1, 2, 50), batch(9, 1, 50));
  check(/batch 1 stands where 3 should follow/, batch(1, 2, 50), batch(1, 2, 50));
  check(/too short for a batch/, batch(1, 2, 50), Buffer.alloc(5));
  const begun = new JournalWriter();
  begun.append(batch(1, 1, 100_000));
  const other = new JournalWriter();
  other.append(batch(2, 1, 50));
  const spliced = Buffer.concat([begun.bytes().subarray(0, journalBlockBytes), other.bytes()]);
  assert.match(scan(spliced).problem?.what ?? '', /begins although the one before has no end/);
  assert.match(
    scan(begun.bytes().subarray(journalBlockBytes)).problem?.what ?? '',
    /continues although none has begun/,
  );
});

test('journal scan: a batch that does not follow the journal before is damage', () => {
  const journal = new JournalWriter();
  journal.append(batch(7, 1, 50));
  assert.equal(scan(journal.bytes(), { content: 'batches', nextSequence: 7 }).state, 'intact');
  assert.equal(scan(journal.bytes(), { content: 'batches', nextSequence: 6 }).state, 'damaged');
});

test('journal scan: a journal stored as a value is not taken for a later write', () => {
  const stored = new JournalWriter();
  for (let sequence = 1; sequence <= 9; sequence++) stored.append(batch(sequence, 1, 50));
  const journal = new JournalWriter();
  for (let sequence = 1; sequence <= 30; sequence++) journal.append(batch(sequence, 1, 50));
  journal.append(Buffer.concat([batch(31, 1, 12), stored.bytes()]));
  const torn = journal.bytes();
  torn[torn.length - 1] = 0x55;
  assert.deepEqual(pick(scan(torn)), ['torn', 30]);
});

test('journal scan: arbitrary bytes end in a verdict, soon', () => {
  const seed = 5;
  const random = seededRandom(seed);
  const journal = new JournalWriter();
  for (let sequence = 1; sequence <= 20; sequence++) journal.append(batch(sequence, 1, 3000));
  for (let round = 0; round < 300; round++) {
    const bytes = Buffer.from(journal.bytes().subarray(0, random.below(60_000)));
    const mutations = random.below(5);
    for (let i = 0; i < mutations && bytes.length > 0; i++) bytes[random.below(bytes.length)] = random.below(256);
    for (const content of ['batches', 'versionEdits'] as const) {
      assert(['intact', 'torn', 'damaged'].includes(scan(bytes, { content }).state), `seed ${seed}, round ${round}`);
    }
  }
  // Every third byte looks like the header of a long record: too much to try, so it is not taken for harmless.
  const hostile = Buffer.alloc(64 * journalBlockBytes, Buffer.from([0xff, 0x3f, 0x01]));
  assert.equal(scan(hostile, { content: 'versionEdits' }).state, 'damaged');
  assert.equal(scan(hostile.subarray(0, 5000), { content: 'versionEdits' }).state, 'torn');
});

test('version edits: arbitrary bytes are refused or read, without an error', () => {
  const seed = 6;
  const random = seededRandom(seed);
  for (let round = 0; round < 20_000; round++) {
    const bytes = Buffer.from(Array.from({ length: random.below(40) }, (_, i) => random.below(i % 2 === 0 ? 10 : 256)));
    assert.equal(typeof applyVersionEdit(emptyManifest(), bytes), 'boolean', `seed ${seed}, round ${round}`);
  }
});

function scan(bytes: Buffer, options = batches): JournalScan {
  const scanner = new JournalScanner(options);
  for (let at = 0; at < bytes.length; at += journalBlockBytes) scanner.push(bytes.subarray(at, at + journalBlockBytes));
  return scanner.finish();
}

function pick({ state, records }: JournalScan): [string, number] {
  return [state, records];
}
