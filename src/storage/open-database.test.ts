import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFile,
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Database } from './database.ts';
import { openDatabase } from './open-database.ts';
import { writeSynced } from './synced-batch.ts';
import { batch, JournalWriter } from './testing/journal-writer.ts';

test('database: made, written, and opened again, through journal and tables', async (t) => {
  const directory = await temporaryDirectory(t);
  for (const kind of ['log', 'data'] as const) {
    const path = join(directory, kind);
    for (let round = 0; round < 3; round++) {
      const database = await openDatabase(path, { kind });
      assert.equal((await database.keys().all()).length, round * 10);
      await fill(database, round * 10, 10);
      await database.close();
    }
  }
});

test('database: the directory is private, and one that others can read is refused', async (t) => {
  const path = join(await temporaryDirectory(t), 'deep', 'log');
  await (await openDatabase(path, { kind: 'log' })).close();
  assert.equal((await stat(path)).mode & 0o777, 0o700);
  await chmod(path, 0o750);
  const before = await readdir(path);
  await assert.rejects(openDatabase(path, { kind: 'log' }), {
    name: 'StorageRefused',
    message: new RegExp(`mode 750.*chmod 700 ${path}`),
  });
  assert.deepEqual(await readdir(path), before);
});

test('database: a directory that cannot be made is refused', async (t) => {
  const file = join(await temporaryDirectory(t), 'file');
  await writeFile(file, '');
  await assert.rejects(openDatabase(join(file, 'log'), { kind: 'log' }), {
    name: 'StorageRefused',
    message: /cannot be made \(ENOTDIR\)/,
  });
});

test('database: a second opening is refused as in use, also while the files look damaged', async (t) => {
  const path = await filled(t);
  const database = await openDatabase(path, { kind: 'log' });
  const inUse = { name: 'StorageInUse', message: /Another process has this database open/ };
  await assert.rejects(openDatabase(path, { kind: 'log' }), inUse);
  await rename(join(path, 'CURRENT'), join(path, 'CURRENT.aside'));
  await assert.rejects(openDatabase(path, { kind: 'log' }), inUse);
  await rename(join(path, 'CURRENT.aside'), join(path, 'CURRENT'));
  await database.close();
  await (await openDatabase(path, { kind: 'log' })).close();
});

test('database: another process that has it open is noticed', async (t) => {
  const path = await filled(t);
  const script = fileURLToPath(new URL('./testing/holding-process.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', script, path], { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  await assert.rejects(openDatabase(path, { kind: 'log' }), { name: 'StorageInUse' });
  child.stdin.end();
  await once(child, 'close');
  await (await openDatabase(path, { kind: 'log' })).close();
});

test('database: CURRENT missing, empty or wrong is damage, and nothing is made anew', async (t) => {
  const path = await filled(t);
  const current = join(path, 'CURRENT');
  const text = await readFile(current, 'utf8');
  for (const wrong of ['', 'MANIFEST-999999\n', '../MANIFEST-000002\n', text.trimEnd()]) {
    await writeFile(current, wrong);
    await damaged(path, /does not name a manifest|that it names is missing/);
  }
  await rm(current);
  await damaged(path, /missing although the directory holds a database/);
  await writeFile(current, text);
  await (await openDatabase(path, { kind: 'log' })).close();
});

test('database: one whose making was cut off is made again', async (t) => {
  const path = await filled(t);
  for (const name of await readdir(path)) {
    if (!name.startsWith('MANIFEST') && name !== 'LOCK') await rm(join(path, name));
  }
  await (await openDatabase(path, { kind: 'log' })).close();
});

test('database: every flipped bit of the manifest is damage or changes nothing', async (t) => {
  const path = await filled(t);
  // Three openings, so that the manifest names tables.
  for (let round = 0; round < 3; round++) await (await openDatabase(path, { kind: 'log' })).close();
  const manifest = join(path, (await readFile(join(path, 'CURRENT'), 'utf8')).trimEnd());
  const bytes = await readFile(manifest);
  for (let at = 0; at < bytes.length; at++) {
    const flipped = Buffer.from(bytes);
    flipped[at] = (flipped[at] ?? 0) ^ (1 << (at & 7));
    await writeFile(manifest, flipped);
    await damaged(path, /damaged|missing|nothing about the files|version edit/, `byte ${at}`);
  }
  await writeFile(manifest, bytes);
  await rename(manifest, `${manifest}.aside`);
  await mkdir(manifest);
  await damaged(path, /could not be read \(EISDIR\)/);
});

test('database: a torn journal opens, and a copy of it stays until the next one', async (t) => {
  const path = await filled(t);
  for (let round = 0; round < 3; round++) {
    const journal = await newestJournal(path);
    const { size } = await stat(journal);
    await truncate(journal, size - 5);
    const database = await openDatabase(path, { kind: 'log' });
    const copies = (await readdir(path)).filter((name) => name.endsWith('.torn'));
    assert.deepEqual(copies, [`${basename(journal)}.torn`]);
    assert.equal((await stat(`${journal}.torn`)).size, size - 5);
    await fill(database, 100 + round * 20, 20);
    await database.close();
  }
});

test('database: what LevelDB drops from the torn end of a journal is not reported twice', async (t) => {
  const path = await filled(t);
  const journal = await newestJournal(path);
  const bytes = await readFile(journal);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  await writeFile(journal, bytes);
  const database = await openDatabase(path, { kind: 'log' });
  assert.match(await readFile(join(path, 'LOG'), 'latin1'), /dropping \d+ bytes; Corruption: checksum mismatch/);
  assert.equal((await database.keys().all()).length, 19);
  await database.close();
});

test('database: only the newest journal may be torn', async (t) => {
  const path = await filled(t);
  const journal = await newestJournal(path);
  const number = Number.parseInt(basename(journal), 10);
  const later = join(path, `${String(number + 1).padStart(6, '0')}.log`);
  const bytes = await readFile(journal);
  await writeFile(later, bytes);
  await damaged(path, /batch 1 stands where 21 should follow/);
  await truncate(journal, bytes.length - 5);
  await damaged(path, /stands where 20 should follow/);
  await truncate(journal, 50);
  await damaged(path, /Its end cannot be read although \d+\.log was written after it/);
  // An empty one is made by an opening that was cut off.
  await truncate(later, 0);
  await (await openDatabase(path, { kind: 'log' })).close();
});

test('database: what only LevelDB itself finds wrong is damage too', async (t) => {
  const path = await filled(t);
  const journal = new JournalWriter();
  // A batch of one operation, whole and in order, whose operation is none.
  journal.append(batch(1, 1, 40));
  await writeFile(await newestJournal(path), journal.bytes());
  const message = /LevelDB skipped data while it opened: .*Ignoring error Corruption/;
  await assert.rejects(openDatabase(path, { kind: 'log' }), { name: 'DamagedStorage', message });
});

test('database: a manifest with an edit of no kind is damage', async (t) => {
  const path = await filled(t);
  const manifest = join(path, (await readFile(join(path, 'CURRENT'), 'utf8')).trimEnd());
  const journal = new JournalWriter();
  journal.append(Buffer.from([3, 5, 2, 0]));
  journal.append(Buffer.from([77]));
  await writeFile(manifest, journal.bytes());
  await damaged(path, /version edit that cannot be read/);
});

test('database: leftovers behind a journal and files of other names do no harm', async (t) => {
  const path = await filled(t);
  await appendFile(await newestJournal(path), Buffer.alloc(40_000));
  await writeFile(join(path, 'notes.txt'), 'keep out');
  const database = await openDatabase(path, { kind: 'log' });
  assert.equal((await database.keys().all()).length, 20);
  await database.close();
});

test('synced batch: all of it or nothing', async (t) => {
  const database = await openDatabase(await temporaryDirectory(t), { kind: 'log' });
  const mistake = new Error('a mistake while the batch was filled');
  const failed = writeSynced(database, (batch) => {
    batch.put(Buffer.from('a'), Buffer.from('1'));
    throw mistake;
  });
  await assert.rejects(failed, mistake);
  assert.equal(await database.get(Buffer.from('a')), undefined);
  await database.close();
});

async function filled(t: TestContext): Promise<string> {
  const path = join(await temporaryDirectory(t), 'log');
  const database = await openDatabase(path, { kind: 'log' });
  await fill(database, 0, 20);
  await database.close();
  return path;
}

/** One batch for each record. */
async function fill(database: Database, first: number, count: number): Promise<void> {
  for (let i = first; i < first + count; i++) {
    await writeSynced(database, (batch) => batch.put(Buffer.from(`key ${i}`), Buffer.alloc(100, `${i} `)));
  }
}

async function damaged(path: string, message: RegExp, what?: string): Promise<void> {
  const before = (await readdir(path)).filter((name) => !name.startsWith('LOG') && !name.endsWith('.damaged'));
  await assert.rejects(openDatabase(path, { kind: 'log' }), { name: 'DamagedStorage', message }, what);
  const after = (await readdir(path)).filter((name) => !name.startsWith('LOG') && !name.endsWith('.damaged'));
  assert.deepEqual(after, before);
}

async function newestJournal(path: string): Promise<string> {
  const name = (await readdir(path))
    .filter((file) => file.endsWith('.log'))
    .sort()
    .at(-1);
  return join(path, name ?? '');
}

async function temporaryDirectory(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'balsa-database-'));
  t.after(() => rm(directory, { recursive: true }));
  return directory;
}
