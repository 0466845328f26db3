import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EncodedLists } from './encoded-lists.ts';

test('encoded lists: a list that comes again is encoded once more in each format, and then never again', () => {
  const lists = new EncodedLists();
  const list = Array.from({ length: 100 }, (_, i) => i);
  let encoded = 0;
  const bytes = (of: readonly number[], format: string): Uint8Array =>
    lists.bytes(of, format, () => {
      encoded++;
      return Buffer.from(`${format}${of.join()}`);
    });
  const first = bytes(list, 'a');
  for (let time = 0; time < 5; time++) {
    assert.deepEqual(bytes(list, 'a'), first);
    assert.deepEqual(bytes(list, 'b'), Buffer.from(`b${list.join()}`));
  }
  assert.equal(encoded, 3);
  assert.deepEqual(bytes([...list], 'a'), first);
  assert.equal(encoded, 4, 'another list, though with the same items');
});
