import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isMismatch, isNotModified, writeCondition } from './entity-tag.ts';

test('condition: none', () => assert.equal(writeCondition(undefined, undefined), undefined));

test('condition: If-Match: one revision, several, any', () => {
  assert.deepEqual(writeCondition('"5"', undefined), { kind: 'modRevisionIn', revisions: [5] });
  assert.deepEqual(writeCondition('"5", "7" ,, "9"', undefined), { kind: 'modRevisionIn', revisions: [5, 7, 9] });
  assert.deepEqual(writeCondition(' * ', undefined), { kind: 'exists' });
});

test('condition: If-None-Match on a write: only that the key must not exist', () => {
  assert.deepEqual(writeCondition(undefined, '*'), { kind: 'absent' });
  assert.throws(() => writeCondition(undefined, '"5"'), { code: 'bad_request' });
});

test('condition: both at once are refused', () => {
  assert.throws(() => writeCondition('"5"', '*'), { code: 'bad_request' });
});

for (const [malformed, explanation] of [
  ['5', /without quotation marks/],
  ['W/"5"', /weak/],
  ['"abc"', /mod revision in quotation marks/],
  ['"5', /mod revision in quotation marks/],
  ['"-5"', /mod revision/],
  ['"5" "7"', /mod revision/],
  ['"9999999999999999"', /mod revision/],
  ['*, "5"', /mod revision/],
  ['', /is empty/],
  [',', /is empty/],
  [Array(65).fill('"5"').join(), /the most is 64/],
] as const) {
  test(`condition: If-Match: ${malformed.slice(0, 20)} is refused with the reason`, () => {
    assert.throws(() => writeCondition(malformed, undefined), explanation);
    assert.throws(() => writeCondition(malformed, undefined), { code: 'bad_request' });
  });
}

test('condition: a read is not modified if its revision is among those named, also if a proxy weakened them', () => {
  assert.equal(isNotModified('"5"', 5), true);
  assert.equal(isNotModified('"4", W/"5"', 5), true);
  assert.equal(isNotModified('*', 5), true);
  assert.equal(isNotModified('"4"', 5), false);
  assert.throws(() => isNotModified('5', 5), { code: 'bad_request' });
});

test('condition: If-Match on a read', () => {
  assert.equal(isMismatch('"5"', 5), false);
  assert.equal(isMismatch('"4"', 5), true);
  assert.equal(isMismatch('*', 5), false);
  assert.equal(isMismatch('*', undefined), true);
  assert.equal(isMismatch('"5"', undefined), true);
});
