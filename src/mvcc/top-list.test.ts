import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../base/random.ts';
import { TopList } from './top-list.ts';

interface Item {
  readonly rank: number;
  readonly bytes: number;
}

test('top list: the first few of a stream, in order', () => {
  assert.deepEqual(check([5, 3, 9, 1], { itemsMax: 2, bytesMax: 100 }), [1, 3]);
  assert.deepEqual(check([5, 3, 9, 1], { itemsMax: 9, bytesMax: 100 }), [1, 3, 5, 9]);
  assert.deepEqual(check([], { itemsMax: 2, bytesMax: 100 }), []);
});

test('top list: within the bytes, but at least one', () => {
  const items = [
    { rank: 2, bytes: 60 },
    { rank: 1, bytes: 200 },
  ];
  assert.deepEqual(take(items, { itemsMax: 9, bytesMax: 100 }), [1]);
});

test('top list: leaves no gap where a big item had to go and a small one behind it would fit', () => {
  const items = [
    { rank: 1, bytes: 50 },
    { rank: 2, bytes: 60 },
    { rank: 3, bytes: 10 },
  ];
  assert.deepEqual(take(items, { itemsMax: 9, bytesMax: 100 }), [1]);
});

test('top list: agrees with sorting everything and cutting', () => {
  const seed = 5;
  const random = seededRandom(seed);
  for (let round = 0; round < 500; round++) {
    const items = Array.from({ length: random.below(30) }, (_, at) => ({
      rank: random.below(1000) * 100 + at,
      bytes: random.below(50),
    }));
    const limits = { itemsMax: 1 + random.below(20), bytesMax: random.below(400) };
    let bytes = 0;
    const expected: number[] = [];
    for (const item of items.toSorted((a, b) => a.rank - b.rank)) {
      bytes += item.bytes;
      if (expected.length > 0 && (expected.length === limits.itemsMax || bytes > limits.bytesMax)) break;
      expected.push(item.rank);
    }
    assert.deepEqual(take(items, limits), expected, `seed ${seed}, round ${round}`);
  }
});

function check(ranks: readonly number[], limits: { itemsMax: number; bytesMax: number }): readonly number[] {
  return take(
    ranks.map((rank) => ({ rank, bytes: 1 })),
    limits,
  );
}

function take(items: readonly Item[], limits: { itemsMax: number; bytesMax: number }): readonly number[] {
  const list = new TopList<Item>(
    limits,
    (item) => item.bytes,
    (a, b) => a.rank < b.rank,
  );
  for (const item of items) list.add(item);
  const taken = list.take();
  assert.equal(list.isCut, taken.length < items.length);
  return taken.map((item) => item.rank);
}
