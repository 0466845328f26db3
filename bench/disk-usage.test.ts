import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { diskUsage, freeBytes } from './disk-usage.ts';

it('disk usage: what is written counts, in folders too; a hole does not', () => {
  const directory = mkdtempSync(join(tmpdir(), 'balsa-bench-test-'));
  try {
    mkdirSync(join(directory, 'a/b'), { recursive: true });
    writeFileSync(join(directory, 'a/b/data'), Buffer.alloc(100_000, 1), { flush: true });
    writeFileSync(join(directory, 'hole'), '');
    truncateSync(join(directory, 'hole'), 50_000_000);
    const used = diskUsage(directory);
    assert.ok(used >= 100_000 && used < 1_000_000, `${used} bytes`);
    assert.ok(freeBytes(directory) > 0);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
