import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JsonObjects } from './json-objects.ts';

test('objects: one after another, cut anywhere', () => {
  const text = ' {"a":"}\\"{"}\n{"b":[{}]}{}';
  for (let size = 1; size <= text.length; size++) {
    const objects = new JsonObjects(100);
    const found: string[] = [];
    for (let at = 0; at < text.length; at += size) {
      objects.push(Buffer.from(text.slice(at, at + size)));
      for (let one = objects.next(); one !== undefined; one = objects.next()) found.push(one);
    }
    assert.deepEqual(found, ['{"a":"}\\"{"}', '{"b":[{}]}', '{}'], `${size} bytes at a time`);
    assert.equal(objects.isWithinObject, false);
  }
});

test('objects: what is none, and one that is too large, are refused', () => {
  const text = new JsonObjects(100);
  text.push(Buffer.from('hello'));
  assert.throws(() => text.next(), /no JSON object/);
  const large = new JsonObjects(100);
  large.push(Buffer.from(`{"a":"${'x'.repeat(100)}`));
  assert.throws(() => large.next(), /too large/);
});
