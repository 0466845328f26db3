import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMemberId } from './members.ts';

for (const [text, id] of [
  ['8e9e05c52164694d', '8e9e05c52164694d'],
  ['00A1', 'a1'],
  ['ffffffffffffffff', 'ffffffffffffffff'],
  ['0', undefined],
  ['0000000000000000', undefined],
  ['00000000000000001', undefined],
  ['', undefined],
  ['node1', undefined],
  ['0x1', undefined],
  ['-1', undefined],
] as const) {
  test(`member id: ${JSON.stringify(text)}`, () => {
    assert.equal(parseMemberId(text), id);
  });
}
