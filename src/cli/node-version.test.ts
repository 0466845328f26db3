import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adviseOnNodeVersion } from './node-version.ts';

test('node version: supported releases need no advice', () => {
  assert.equal(adviseOnNodeVersion('v22.12.0'), undefined);
  assert.equal(adviseOnNodeVersion('v24.1.0'), undefined);
});

test('node version: old patch levels, ended majors and untested majors get advice', () => {
  assert.match(adviseOnNodeVersion('v22.3.0') ?? '', /lacks fixes .* use 22\.12 or later/);
  assert.match(adviseOnNodeVersion('v20.20.2') ?? '', /no security fixes since 2026-04-30; use 24/);
  assert.match(adviseOnNodeVersion('v23.1.0') ?? '', /not one that Balsa is tested on; use one of 20, 22, 24/);
});
