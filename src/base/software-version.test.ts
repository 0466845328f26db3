import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isOlder, minorOf } from './software-version.ts';

test('versions: older by the parts that both name', () => {
  for (const [one, other] of [
    ['0.1', '0.2'],
    ['0.1.9', '0.2'],
    ['0.9.0', '0.10'],
    ['0.10', '1.0'],
    ['1.2.3', '1.2.4'],
    ['1.2.3-rc.1', '1.3'],
    ['unknown', '0.1'],
    ['', '0.1'],
  ] as const) {
    assert.ok(isOlder(one, other), `${one} ${other}`);
    assert.ok(!isOlder(other, one), `${other} ${one}`);
  }
  for (const same of ['0.2', '0.2.0', '0.2.7']) assert.ok(!isOlder(same, '0.2') && !isOlder('0.2', same));
});

test('versions: the minor one', () => {
  assert.deepEqual(['0.2.1', '0.2', '10.20.30-rc.1', 'unknown', '', '1', '0.2x'].map(minorOf), [
    '0.2',
    '0.2',
    '10.20',
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});
