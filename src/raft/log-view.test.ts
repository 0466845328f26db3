import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../base/random.ts';
import { LogView } from './log-view.ts';
import { entry, votersOf } from './testing/core.ts';
import { MemoryLog } from './testing/memory-log.ts';
import type { Entry, Term } from './types.ts';

function open(terms: readonly Term[], committed = 0): { readonly durable: MemoryLog; readonly log: LogView } {
  const durable = new MemoryLog(votersOf('1', '2', '3'));
  durable.write({ entries: terms.map((term, i) => entry(i + 1, term)), hardState: undefined });
  return { durable, log: new LogView(durable, { committed, applied: 0 }) };
}

function finish(durable: MemoryLog, log: LogView, entries: readonly Entry[]): void {
  durable.write({ entries, hardState: undefined });
  log.endWrite();
}

const termsOf = (log: LogView): unknown[] => Array.from({ length: log.lastIndex }, (_, i) => log.term(i + 1));

test('log view: entries are durable when their write has ended, and not while it is out', () => {
  const { durable, log } = open([1]);
  log.append([entry(2, 1), entry(3, 1)]);
  assert.deepEqual([log.stableIndex, log.lastIndex, log.hasPending], [1, 3, true]);
  const batch = log.beginWrite();
  log.append([entry(4, 1)]);
  assert.deepEqual([batch.length, log.stableIndex, log.lastIndex], [2, 1, 4]);
  finish(durable, log, batch);
  assert.deepEqual([log.stableIndex, log.lastIndex, log.hasPending], [3, 4, true]);
});

test('log view: what is replaced while it is written does not count when the write ends (ABA)', () => {
  const { durable, log } = open([1]);
  log.append([entry(2, 1), entry(3, 1), entry(4, 1)]);
  const old = log.beginWrite();
  log.append([entry(3, 2)]);
  finish(durable, log, old);
  assert.deepEqual([log.stableIndex, log.lastIndex, log.term(3)], [2, 3, 2]);
  assert.deepEqual(
    log.beginWrite().map(({ index, term }) => [index, term]),
    [[3, 2]],
  );
});

test('log view: what precedes a replaced entry counts, so that a committed entry is not written twice', () => {
  const { durable, log } = open([]);
  log.append([entry(1, 1), entry(2, 1)]);
  const old = log.beginWrite();
  log.commitTo(1);
  log.append([entry(2, 2)]);
  finish(durable, log, old);
  assert.deepEqual(
    log.beginWrite().map(({ index }) => index),
    [2],
  );
});

test('log view: replaced twice while one write is out, below what is durable', () => {
  const { durable, log } = open([1, 1, 1, 1]);
  log.append([entry(5, 1)]);
  const old = log.beginWrite();
  log.append([entry(3, 2), entry(4, 2), entry(5, 2)]);
  log.append([entry(4, 3)]);
  finish(durable, log, old);
  assert.deepEqual([log.stableIndex, termsOf(log)], [2, [1, 1, 2, 3]]);
  finish(durable, log, log.beginWrite());
  assert.deepEqual([log.stableIndex, termsOf(log), log.unstableBytes], [4, [1, 1, 2, 3], 0]);
});

test('log view: a committed entry is never replaced, and no gap is left', () => {
  const { log } = open([1, 1], 2);
  assert.throws(() => log.append([entry(2, 2)]), /entry 2 is committed/);
  assert.throws(() => log.append([entry(4, 2)]), /leaves a gap/);
  assert.throws(() => log.append([entry(3, 2), entry(5, 2)]), /do not follow each other/);
});

test('log view: the commit index never goes back nor beyond the log', () => {
  const { log } = open([1, 1, 1]);
  assert.deepEqual([log.commitTo(2), log.commitTo(1), log.committed], [true, false, 2]);
  assert.deepEqual([log.commitTo(99), log.committed], [true, 3]);
});

test('log view: only what is committed and durable is shown, in pieces', () => {
  const { durable, log } = open([1, 1, 1]);
  log.append([entry(4, 1)]);
  log.commitTo(4);
  assert.deepEqual(
    log.committedEntries(6).map(({ index }) => index),
    [1, 2],
  );
  log.appliedTo(3);
  assert.equal(log.hasCommittedEntries(), false);
  finish(durable, log, log.beginWrite());
  assert.deepEqual(
    log.committedEntries(6).map(({ index }) => index),
    [4],
  );
});

test('log view: a log that lost what is committed or applied is not opened', () => {
  assert.throws(() => open([1], 2), /entries up to 2 are committed, and the log ends at 1/);
});

test('log view: a slice crosses from disk to memory, keeps to its limit, and has at least one entry', () => {
  const { log } = open([1, 1]);
  log.append([entry(3, 1), entry(4, 1)]);
  const writing = log.beginWrite();
  assert.deepEqual(
    log.slice(1, 100).entries.map(({ index }) => index),
    [1, 2, 3, 4],
  );
  assert.deepEqual(
    log.slice(1, 9).entries.map(({ index }) => index),
    [1, 2, 3],
  );
  assert.deepEqual(
    log.slice(2, 5).entries.map(({ index }) => index),
    [2],
  );
  assert.deepEqual(
    log.slice(4, 1).entries.map(({ index }) => index),
    [4],
  );
  assert.equal(log.slice(5, 100).entries.length, 0);
  assert.equal(log.slice(3, 100).entries, writing, 'the whole batch is shared, not copied');
});

test('log view: a slice that the disk cut short says so, and one that is full does not', () => {
  const { durable, log } = open([1, 1, 1, 1]);
  durable.coldEntriesMax = 2;
  assert.deepEqual([log.slice(1, 100).entries.length, log.slice(1, 100).isShort], [2, true]);
  assert.deepEqual([log.slice(1, 6).entries.length, log.slice(1, 6).isShort], [2, false]);
  assert.equal(log.slice(3, 100).isShort, false);
});

test('log view: where two logs may agree is found as by going back entry by entry', () => {
  const seed = 4_711;
  const random = seededRandom(seed);
  for (let run = 0; run < 500; run++) {
    let term = 1;
    const terms = Array.from({ length: random.below(12) }, () => (term += random.below(3)));
    const { durable, log } = open(terms);
    const base = terms.length === 0 ? 0 : random.below(terms.length);
    durable.dropTo(base);
    const [index, wanted] = [random.below(15), random.below(term + 2)];
    let at = Math.min(index, terms.length);
    while (at > 0 && at >= base && (log.term(at) ?? 0) > wanted) at--;
    const found = log.findConflict(index, wanted);
    const what = `seed ${seed}, run ${run}: ${terms}, base ${base}, ${index}@${wanted}`;
    assert.deepEqual(found, { index: at, term: at < base ? 0 : (log.term(at) ?? 0) }, what);
  }
});

test('log view: random appends, writes and crashes of writes agree with a plain array', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = seededRandom(seed);
    const { durable, log } = open([]);
    let plain: Entry[] = [];
    let batch: readonly Entry[] | undefined;
    for (let step = 0; step < 40; step++) {
      if (random.below(3) > 0) {
        const from = log.committed + 1 + random.below(plain.length - log.committed + 1);
        const added = Array.from({ length: 1 + random.below(3) }, (_, i) => entry(from + i, step + 1));
        plain = [...plain.slice(0, from - 1), ...added];
        log.append(added);
      } else if (batch === undefined) {
        batch = log.beginWrite();
      } else {
        finish(durable, log, batch);
        batch = undefined;
        log.commitTo(random.below(log.stableIndex + 1));
      }
      assert.deepEqual(
        termsOf(log),
        plain.map(({ term }) => term),
        `seed ${seed}, step ${step}`,
      );
      for (let index = 1; index <= log.stableIndex; index++) {
        assert.equal(durable.entry(index), plain[index - 1], `seed ${seed}, step ${step}: ${index} is not durable`);
      }
    }
  }
});
