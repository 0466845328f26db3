import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { keyOf } from '../keys.ts';
import { RotatingBody } from './rotating-body.ts';

it('rotating body: the key changes, the rest and the length stay', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'balsa-bench-test-'));
  try {
    const path = join(directory, 'body');
    using _body = new RotatingBody(path, (index) => Buffer.from(`<${keyOf(index)}=0042>`), 10_041);
    assert.equal(readFileSync(path, 'latin1'), '<bench/0041=0042>');
    const seen = new Set<string>();
    while (seen.size < 3) {
      const text = readFileSync(path, 'latin1');
      assert.match(text, /^<bench\/\d{4}=0042>$/);
      seen.add(text);
      await nextTurn();
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
});
