import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ResetGuard } from './reset-guard.ts';

test('resets: a burst, and a trickle for ever', () => {
  const guard = new ResetGuard(0);
  for (let i = 0; i < 900; i++) assert.equal(guard.onReset(0), false);
  assert.equal(guard.onReset(0), true);
  const calm = new ResetGuard(0);
  for (let i = 1; i < 10_000; i++) assert.equal(calm.onReset(i * 31), false);
});
