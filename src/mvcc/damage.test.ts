import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { seededRandom } from '../base/random.ts';
import { encodeCommand } from './command.ts';
import type { Database } from './database.ts';
import { DamagedValue } from './record.ts';
import { createLevelDatabase, databases, dumpDatabase } from './testing/databases.ts';
import type { DamagedRound } from './testing/read-damaged.ts';
import { bytes, everything, openTestStore, put, type TestStore } from './testing/test-store.ts';

const rowA = Buffer.from('\x00\x00\x00\x00\x10a', 'latin1');
const page = { limit: 0, bytesMax: 1_000_000, keysOnly: true };

for (const { name, create } of databases) {
  test(`damage: ${name}: a value that changed on disk is never answered, listed or written over`, async (t) => {
    const { database } = await create(t);
    const before = await openTestStore(database);
    await before.apply(put('a', 'value'));
    await before.store.close();
    await damage(database, rowA);
    const list = {
      range: everything,
      limit: 0,
      keysOnly: false,
      countOnly: false,
      sort: 'version',
      order: 'asc',
    } as const;
    const reads: readonly ((test: TestStore) => Promise<unknown>)[] = [
      async ({ store }) => store.get(bytes('a')),
      ({ store }) => store.readView().page(everything, page),
      ({ store }) => store.readView().list(list, 1000),
      ({ store }) => store.readView().get(bytes('a')),
      ({ store }) => store.scrub({ pauseMs: 0, signal: new AbortController().signal }),
      ({ apply }) => apply(put('a', 'new')),
    ];
    for (const read of reads) {
      // A store that has just written the value still has it in memory, and answers rightly.
      const test = await openTestStore(database);
      await assert.rejects(read(test), { name: 'DamagedValue', message: /key "a" \(current\)/ });
      assert.deepEqual([test.store.appliedIndex, test.store.revision], [1, 2]);
      await test.store.close().catch(() => {});
    }
  });

  test(`damage: ${name}: a store that has met damage stops: nobody knows what else its disk holds`, async (t) => {
    const { database } = await create(t);
    const before = await openTestStore(database);
    await before.apply(put('a', 'value'));
    await before.apply(put('b', 'value'));
    await before.store.close();
    await damage(database, rowA);
    const { store } = await openTestStore(database);
    assert.throws(() => store.get(bytes('a')), DamagedValue);
    await assert.rejects(store.failed, DamagedValue);
    assert.throws(() => store.get(bytes('b')), DamagedValue);
    await assert.rejects(store.close(), DamagedValue);
  });

  test(`damage: ${name}: an entry that was applied in part before damage was met never reaches the disk`, async (t) => {
    // On disk without its index, its first command would be done again after a restart.
    const { database } = await create(t);
    const before = await openTestStore(database);
    await before.apply(put('a', 'value'));
    await before.store.close();
    const rows = await dumpDatabase(database);
    const { store, clock } = await openTestStore(database);
    await damage(database, rowA);
    const entry = Buffer.concat([put('b', 'first'), put('a', 'second')].map(encodeCommand));
    assert.throws(() => store.apply(2, entry, { term: 1 }), DamagedValue);
    await damage(database, rowA);
    clock.advance(60_000);
    await assert.rejects(store.flush(), { name: 'StoreFailed', message: /Applying log entry 2 failed/ });
    await assert.rejects(store.close(), { name: 'StoreFailed' });
    assert.deepEqual(await dumpDatabase(database), rows);
  });

  test(`damage: ${name}: a damaged state or member record: the store does not open`, async (t) => {
    for (const row of ['\x00\x00\x00\x00\x01state', '\x00\x00\x00\x00\x02b2']) {
      const { database } = await create(t);
      await (await openTestStore(database)).store.close();
      await damage(database, Buffer.from(row, 'latin1'));
      await assert.rejects(openTestStore(database), DamagedValue);
    }
  });
}

test('damage: leveldb: bits flipped in its tables: no wrong value is ever answered', async (t) => {
  const seed = 34;
  const rounds = 25;
  const random = seededRandom(seed);
  const { database, directory, reopen } = await createLevelDatabase(t);
  const { apply, store } = await openTestStore(database);
  for (let at = 0; at < 300; at++) await apply(put(`key-${at}`, `value-${at}-`.repeat(1 + random.below(60))));
  await store.close();
  // Opening again turns the journal into a table.
  await reopen();
  await database.close();
  const table = (await readdir(directory)).find((file) => file.endsWith('.ldb')) ?? assert.fail('no table');
  const good = await readFile(join(directory, table));

  const found: DamagedRound[] = [];
  let aborted = 0;
  for (let round = 0; round < rounds; round = found.length + aborted) {
    const { stdout, code, signal } = await readDamaged([directory, `${seed}`, `${round}`, `${rounds}`]);
    for (const line of stdout.split('\n').slice(0, -1)) found.push(JSON.parse(line));
    if (code === 0) continue;
    // LevelDB found by itself that its lengths cannot be, and a process that has ended answers nothing.
    assert.equal(signal, 'SIGABRT', `exit code ${code} after ${found.length + aborted} rounds, seed ${seed}`);
    aborted++;
    await writeFile(join(directory, table), good);
  }
  for (const { round, wrong } of found) assert.deepEqual(wrong, [], `seed ${seed}, round ${round}`);
  const right = found.reduce((sum, one) => sum + one.right, 0);
  const refused = found.reduce((sum, one) => sum + one.refused, 0);
  assert(right > 0 && refused > 0 && aborted < rounds / 2, `right ${right}, refused ${refused}, aborted ${aborted}`);
  await database.open();
});

async function readDamaged(
  args: readonly string[],
): Promise<{ readonly stdout: string; readonly code: number | null; readonly signal: string | null }> {
  const program = fileURLToPath(new URL('./testing/read-damaged.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', program, ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
  const [stdout, [code, signal]] = await Promise.all([text(child.stdout), once(child, 'close')]);
  return { stdout, code, signal };
}

/** Flips one bit in the middle of a record. */
async function damage(database: Database, row: Buffer): Promise<void> {
  const record = Buffer.from((await database.get(row)) ?? assert.fail('there is no such record'));
  const middle = record.length >> 1;
  record[middle] = (record[middle] ?? 0) ^ 0x10;
  await database.put(row, record);
}
