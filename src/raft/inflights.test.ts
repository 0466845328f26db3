import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Inflights } from './inflights.ts';

test('inflights: full by count, freed by what was acknowledged, over and over around the ring', () => {
  const inflights = new Inflights(3, 1_000);
  for (let index = 1; index <= 30; index++) {
    assert.equal(inflights.isFull, index > 3);
    if (inflights.isFull) inflights.freeTo(index - 3);
    inflights.add(index, 1);
    assert.equal(inflights.count, Math.min(index, 3));
  }
  inflights.freeTo(29);
  assert.equal(inflights.count, 1);
});

test('inflights: full by bytes, also by one message above the bound', () => {
  const inflights = new Inflights(10, 100);
  inflights.add(1, 99);
  assert.equal(inflights.isFull, false);
  inflights.add(2, 500);
  assert.equal(inflights.isFull, true);
  inflights.freeTo(1);
  assert.equal(inflights.isFull, true);
  inflights.freeTo(2);
  assert.deepEqual([inflights.isFull, inflights.count], [false, 0]);
});

test('inflights: an acknowledgement below the first frees nothing, one beyond the last frees all', () => {
  const inflights = new Inflights(4, 100);
  for (const index of [5, 8]) inflights.add(index, 40);
  inflights.freeTo(4);
  assert.equal(inflights.count, 2);
  inflights.freeTo(99);
  assert.equal(inflights.count, 0);
});

test('inflights: nothing is added to a full window', () => {
  const inflights = new Inflights(1, 100);
  inflights.add(1, 1);
  assert.throws(() => inflights.add(2, 1), /beyond the window/);
});
