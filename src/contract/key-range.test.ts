import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prefixRange } from './key-range.ts';

test('prefixRange: ends at the prefix plus one, with carry', () => {
  check('612f', '6130');
  check('00', '01');
  check('61ff', '62');
  check('61ffff', '62');
  check('fffe', 'ffff');
});

test('prefixRange: has no end where no key can come after', () => {
  check('', undefined);
  check('ff', undefined);
  check('ffffff', undefined);
});

test('prefixRange: leaves the prefix as it was', () => {
  const prefix = Uint8Array.of(0x61, 0x01);
  prefixRange(prefix);
  assert.deepEqual(prefix, Uint8Array.of(0x61, 0x01));
});

test('prefixRange: holds exactly the keys that begin with the prefix', () => {
  const bytes = [0x00, 0x01, 0xfe, 0xff];
  const keys = [[], ...bytes.map((a) => [a]), ...bytes.flatMap((a) => bytes.map((b) => [a, b]))].map((key) =>
    Buffer.from(key),
  );
  for (const prefix of keys) {
    const { start, end } = prefixRange(prefix);
    for (const key of keys) {
      const inside = key.compare(start) >= 0 && (end === undefined || key.compare(end) < 0);
      assert.equal(
        inside,
        key.subarray(0, prefix.length).equals(prefix),
        `${key.toString('hex')} in ${prefix.toString('hex')}`,
      );
    }
  }
});

function check(prefix: string, end: string | undefined): void {
  const range = prefixRange(Buffer.from(prefix, 'hex'));
  assert.equal(Buffer.from(range.start).toString('hex'), prefix);
  assert.equal(range.end === undefined ? undefined : Buffer.from(range.end).toString('hex'), end);
}
