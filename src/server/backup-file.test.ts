import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { BackupDamaged } from '../storage/index.ts';
import { inspectBackup, readFileChunks, saveBackup } from './backup-file.ts';
import { sampleBackup } from './testing/sample-backup.ts';

let directory: string;
let backup: Buffer;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'balsa-backup-'));
  backup = await sampleBackup({ keys: 40, valueBytes: 100_000 });
});
after(() => rm(directory, { recursive: true }));

/** As a connection brings them: of any length. */
async function* pieces(bytes: Buffer, length = 65_537): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

test('backup file: what came is what is there, by its name, for its owner alone', async () => {
  const path = join(directory, 'whole.backup');
  const told: [number, number][] = [];
  const { manifest, bytes } = await saveBackup(path, pieces(backup), (done, total) => told.push([done, total]));
  assert.deepEqual([manifest.keyCount, bytes], [40, backup.length]);
  assert.ok((await readFile(path)).equals(backup));
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.ok(told.length >= 4 && told.every(([done, total]) => done > 0 && done <= total), JSON.stringify(told));
  const found = await inspectBackup(path);
  assert.deepEqual([found.manifest, found.bytes], [manifest, backup.length]);
});

test('backup file: one that is cut off or altered leaves what was there, and nothing else', async () => {
  const path = join(directory, 'kept.backup');
  await writeFile(path, 'the one from yesterday');
  const altered = Buffer.from(backup);
  altered[backup.length - 100] = (altered[backup.length - 100] ?? 0) ^ 1;
  async function* broken(): AsyncGenerator<Buffer> {
    yield backup.subarray(0, 100_000);
    throw new Error('the connection broke');
  }
  await assert.rejects(saveBackup(path, pieces(backup.subarray(0, -1))), BackupDamaged);
  await assert.rejects(saveBackup(path, pieces(altered)), BackupDamaged);
  await assert.rejects(saveBackup(path, pieces(Buffer.concat([backup, Buffer.of(0)]))), BackupDamaged);
  await assert.rejects(saveBackup(path, broken()), /the connection broke/);
  assert.equal(await readFile(path, 'utf8'), 'the one from yesterday');
  assert.deepEqual(
    (await readdir(directory)).filter((name) => name.includes('partial')),
    [],
  );
});

test('backup file: a source is left when nothing more is wanted of it', async () => {
  let isLeft = false;
  async function* garbage(): AsyncGenerator<Buffer> {
    try {
      for (;;) yield Buffer.from('<html>');
    } finally {
      isLeft = true;
    }
  }
  await assert.rejects(saveBackup(join(directory, 'x'), garbage()), BackupDamaged);
  assert.equal(isLeft, true);
});

test('backup file: read with its progress; a file that is not there is named', async () => {
  const path = join(directory, 'read.backup');
  await writeFile(path, backup);
  const told: number[] = [];
  let bytes = 0;
  for await (const chunk of readFileChunks(path, (done, total) => told.push(done / total))) bytes += chunk.length;
  assert.deepEqual([bytes, told.at(-1)], [backup.length, 1]);
  await assert.rejects(inspectBackup(join(directory, 'none')), /ENOENT.*none/);
});
