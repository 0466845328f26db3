import assert from 'node:assert/strict';
import { it } from 'node:test';
import { numberedKey, scattered } from './key-order.ts';

for (const count of [1, 2, 3, 100, 997, 10_000]) {
  it(`key order: each of ${count} numbers comes once`, () => {
    const indexAt = scattered(count);
    const seen = new Set(Array.from({ length: count }, (_, place) => indexAt(place)));
    assert.equal(seen.size, count);
    assert.ok([...seen].every((index) => index >= 0 && index < count));
  });
}

it('key order: successors are not neighbours', () => {
  const indexAt = scattered(1_000_000);
  assert.ok([0, 1, 2, 3].every((place) => Math.abs(indexAt(place + 1) - indexAt(place)) > 1000));
});

it('key order: the largest number of keys is still computed exactly', () => {
  const indexAt = scattered(50_000_000);
  const last = 49_999_999;
  assert.equal(indexAt(last), (50_000_000 - indexAt(1)) % 50_000_000);
  assert.equal(numberedKey('k/', last), 'k/49999999');
});
