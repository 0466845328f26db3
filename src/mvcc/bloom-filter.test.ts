import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BloomFilter } from './bloom-filter.ts';

test('bloom filter: what was added is never denied, what was not is nearly always', () => {
  const filter = new BloomFilter();
  for (let i = 0; i < 100_000; i++) filter.add(`key ${i}`);
  let wrong = 0;
  for (let i = 0; i < 100_000; i++) {
    assert(filter.mayHave(`key ${i}`));
    if (filter.mayHave(`other ${i}`)) wrong++;
  }
  assert(wrong < 20, `${wrong} of 100,000`);
});

test('bloom filter: an empty one denies everything', () => {
  const filter = new BloomFilter();
  assert(!filter.mayHave(''));
  assert(!filter.mayHave('key'));
});
