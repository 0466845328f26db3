import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Heap } from './heap.ts';
import { seededRandom } from './random.ts';

test('heap: an empty one has nothing to give', () => {
  const heap = new Heap<number>((a, b) => a < b);
  assert.equal(heap.size, 0);
  assert.equal(heap.peek(), undefined);
  assert.equal(heap.pop(), undefined);
});

test('heap: gives its items in the order of `before`', () => {
  const heap = new Heap<string>((a, b) => a > b);
  for (const item of ['pear', 'fig', 'plum', 'apple']) heap.push(item);
  assert.equal(heap.peek(), 'plum');
  assert.deepEqual(
    [heap.pop(), heap.pop(), heap.pop(), heap.pop(), heap.pop()],
    ['plum', 'pear', 'fig', 'apple', undefined],
  );
});

test('heap: pushes and pops in any order agree with a sorted array', () => {
  const seed = 20_117;
  const random = seededRandom(seed);
  const heap = new Heap<number>((a, b) => a < b);
  const sorted: number[] = [];
  for (let step = 0; step < 5_000; step++) {
    if (random.below(5) < 3) {
      const item = random.below(100);
      heap.push(item);
      sorted.push(item);
      sorted.sort((a, b) => a - b);
    } else {
      assert.equal(heap.pop(), sorted.shift(), `seed ${seed}, step ${step}`);
    }
    assert.equal(heap.peek(), sorted[0], `seed ${seed}, step ${step}`);
    assert.equal(heap.size, sorted.length);
  }
});
