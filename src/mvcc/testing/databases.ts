import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { Level } from 'level';
import { MemoryLevel } from 'memory-level';
import type { Database } from '../database.ts';

export interface TestDatabase {
  readonly database: Database;
  /** Where the files are; undefined without files. */
  readonly directory: string | undefined;
  /** Closes and opens it again. */
  reopen(): Promise<void>;
}

/** The databases that every suite runs on. What they hold is gone when the test ends. */
export const databases: readonly {
  readonly name: string;
  readonly create: (t: TestContext) => Promise<TestDatabase>;
}[] = [
  { name: 'memory', create: createMemoryDatabase },
  { name: 'leveldb', create: createLevelDatabase },
];

async function createMemoryDatabase(t: TestContext): Promise<TestDatabase> {
  const database: Database = new MemoryLevel(encodings);
  await database.open();
  t.after(() => database.close());
  return { database, directory: undefined, reopen: () => reopen(database) };
}

export async function createLevelDatabase(t: TestContext): Promise<TestDatabase & { readonly directory: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'balsa-mvcc-'));
  const database: Database = new Level(directory, encodings);
  await database.open();
  t.after(async () => {
    await database.close();
    await rm(directory, { recursive: true });
  });
  return { database, directory, reopen: () => reopen(database) };
}

/** The whole content, a record a line. */
export async function dumpDatabase(database: Database): Promise<readonly string[]> {
  const records = await database.iterator().all();
  return records.map(([key, value]) => `${key.toString('hex')}=${value.toString('hex')}`);
}

async function reopen(database: Database): Promise<void> {
  await database.close();
  // Whoever was writing learns that the database is closed before it is open again.
  await new Promise(setImmediate);
  await database.open();
}

const encodings = { keyEncoding: 'buffer', valueEncoding: 'buffer' } as const;
