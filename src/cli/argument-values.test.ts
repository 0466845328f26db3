import assert from 'node:assert/strict';
import { test } from 'node:test';
import { given, leaseId, milliseconds, positive } from './argument-values.ts';
import { CommandError } from './exit-codes.ts';

test('values: times, numbers and lease ids', () => {
  assert.equal(milliseconds('timeout', '1.5s'), 1500);
  assert.equal(positive('--limit', '10'), 10);
  assert.equal(leaseId('<id>', '694D5765fc71500b'), 0x694d5765fc71500bn);
  assert.equal(leaseId('<id>', 'ff'), 255n);
});

test('values: an option that was not given is not there', () => {
  assert.deepEqual(given('limit', undefined, Number), {});
  assert.deepEqual(given('limit', '3', Number), { limit: 3 });
});

const refused: readonly [parse: () => unknown, line: RegExp][] = [
  [() => milliseconds('timeout', '5'), /^--timeout: must be a time with its unit, such as 500ms or 5s, not "5"$/],
  [() => positive('--rev', '0'), /^--rev: must be a whole number above 0, not "0"$/],
  [() => positive('--rev', '9'.repeat(16)), /^--rev: must be a whole number above 0/],
  [() => leaseId('--lease', '0'), /^--lease: must be a lease id, up to 16 hexadecimal digits, not "0"$/],
  [() => leaseId('<id>', 'f'.repeat(16)), /^<id>: must be a lease id/],
];
for (const [parse, line] of refused) {
  test(`values: refused: ${line}`, () => {
    assert.throws(parse, (reason) => reason instanceof CommandError && line.test(reason.message));
  });
}
