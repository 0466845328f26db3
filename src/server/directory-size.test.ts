import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { DirectorySize } from './directory-size.ts';
import { systemClock } from './system-clock.ts';

test('directory size: the files of all directories together; one that is not there holds nothing', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'balsa-size-'));
  t.after(() => rmSync(directory, { recursive: true }));
  writeFileSync(join(directory, 'a'), Buffer.alloc(1000));
  writeFileSync(join(directory, 'b'), Buffer.alloc(24));
  const size = await DirectorySize.watch([directory, join(directory, 'absent')], systemClock);
  assert.equal(size.bytes, 1024);
  size.close();
});
