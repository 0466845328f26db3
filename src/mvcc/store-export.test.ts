import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { MemoryLevel } from 'memory-level';
import { seededRandom } from '../base/random.ts';
import { ManualClock } from '../base/testing/manual-clock.ts';
import { encodeCommand } from './command.ts';
import type { Database } from './database.ts';
import { KeySpace } from './key-space.ts';
import { openExport, type StoreExport } from './store-export.ts';
import { type ImportedStore, importing } from './store-import.ts';
import { readRecordHead, recordHeadBytes, writeRecordHead } from './stream-layout.ts';
import { databases, dumpDatabase } from './testing/databases.ts';
import { randomEntry } from './testing/random-commands.ts';
import { bytes, describeStore, openTestStore, put, type TestStore } from './testing/test-store.ts';

for (const { name, create } of databases) {
  test(`export over ${name}: what comes out goes in, record by record, in pieces of any size`, async (t) => {
    const { database } = await create(t);
    const test = await openTestStore(database);
    await fill(test, 40);
    await test.store.flush();
    const whole = await exported(database, 1000);
    for (const pieceBytes of [1, 7, 300, 1e6]) {
      const target = await memory(t);
      const imported = await bringInto(target, pieces(whole, pieceBytes));
      assert.deepEqual(await dumpDatabase(target), await dumpDatabase(database), `pieces of ${pieceBytes}`);
      const { appliedIndex, revision, keyCount } = test.store;
      assert.deepEqual(
        [imported.appliedIndex, imported.revision, imported.keyCount],
        [appliedIndex, revision, keyCount],
      );
      assert.deepEqual(
        [imported.bytes, imported.records],
        [whole.length - recordHeadBytes, (await dumpDatabase(database)).length],
      );
    }
    await test.store.close();
  });

  test(`export over ${name}: shows the moment at which it was opened, whatever is written meanwhile`, async (t) => {
    const { database } = await create(t);
    const test = await openTestStore(database);
    await fill(test, 20);
    await test.store.flush();
    const before = await describeStore(test.store);
    const opened = await openExport(database, 0);
    const chunks: Buffer[] = [];
    for (let chunk = await opened.next(100); chunk !== undefined; chunk = await opened.next(100)) {
      assert(chunk.length <= 100);
      chunks.push(chunk);
      if (chunks.length % 10 === 0) await test.apply(put(`later ${chunks.length}`, 'x'));
      if (chunks.length % 30 === 0) await test.store.flush();
    }
    await opened.close();
    const target = await memory(t);
    await bringInto(target, chunks);
    const copy = await openTestStore(target);
    assert.deepEqual(await describeStore(copy.store), before);
    await copy.store.close();
    await test.store.close();
  });
}

test('export: of a store holds what is durable, and applying goes on from there to the same state', async (t) => {
  const database = await memory(t);
  const test = await openTestStore(database);
  await fill(test, 10);
  await test.store.flush();
  await test.apply(put('not durable', 'yet'));
  const opened = await test.store.openExport();
  assert.equal(opened.appliedIndex, test.store.appliedIndex - 1);
  const target = await memory(t);
  await bringInto(target, await drain(opened));
  const copy = await openTestStore(target);
  await copy.apply(put('not durable', 'yet'));
  assert.deepEqual(await describeStore(copy.store), await describeStore(test.store));
  await copy.store.close();
  await test.store.close();
});

test('export: a damaged record is told, to the store too', async (t) => {
  const database = await memory(t);
  const { store, apply } = await openTestStore(database);
  await apply(put('a', 'value'));
  await store.flush();
  const key = new KeySpace(0).key('current', Buffer.from('a')).bytes;
  const record = Buffer.from((await database.get(key)) ?? '');
  record[9] = (record[9] ?? 0) ^ 1;
  await database.put(key, record);
  await assert.rejects(store.openExport().then(drain), { name: 'DamagedValue' });
  await assert.rejects(store.failed, { name: 'DamagedValue' });
});

test('export: a database without a store has none', async (t) => {
  await assert.rejects(openExport(await memory(t), 0), { name: 'DamagedValue' });
});

test('import: cut off at any byte it is refused, and the database does not open as a store', async (t) => {
  const whole = await someExport(t);
  for (let length = 0; length < whole.length; length++) {
    const target = await memory(t);
    await assert.rejects(
      bringInto(target, [whole.subarray(0, length)]),
      { name: 'MalformedStream' },
      `${length} bytes`,
    );
    if (length % 50 === 0 && length > 200) await assert.rejects(openTestStore(target), { name: 'DamagedValue' });
    await target.close();
  }
});

test('import: any flipped bit is refused', async (t) => {
  const whole = await someExport(t);
  for (let at = 0; at < whole.length; at++) {
    const flipped = Buffer.from(whole);
    flipped[at] = (flipped[at] ?? 0) ^ (1 << (at & 7));
    const target = await memory(t);
    await assert.rejects(bringInto(target, [flipped]), /malformed|damaged|checksum/i, `byte ${at}`);
    await target.close();
  }
});

test('import: records in another order, twice, of another group or of no table are refused', async (t) => {
  const whole = await someExport(t);
  const records = recordsOf(whole);
  const refused = async (order: readonly Buffer[], why: RegExp): Promise<void> => {
    await assert.rejects(bringInto(await memory(t), order), { name: 'MalformedStream', message: why });
  };
  const [first, second, ...rest] = records;
  const end = (count: number): Buffer => head(0, count);
  assert(first !== undefined && second !== undefined);
  await refused([second, first, ...rest], /does not follow/);
  await refused([first, first, second, ...rest], /does not follow/);
  await refused([second, ...rest.slice(0, -1), end(records.length - 2)], /state is missing/);
  const others = records.slice(0, -1).filter((record) => record[8 + 4] !== 0x10);
  await refused([...others, end(others.length)], /holds 0 keys/);
  await refused([...records, first], /follows its end/);
  await refused([...records.slice(0, -2), end(records.length)], /its end says/);
  await refused(
    [first, Buffer.concat([head(5, 5), Buffer.from('000000007f', 'hex'), Buffer.alloc(5)])],
    /unknown table/,
  );
  await refused([Buffer.concat([head(5, 5), Buffer.from('0000000110', 'hex'), Buffer.alloc(5)])], /another group/);
  await refused([head(2 ** 31, 2 ** 31)], /a record of 4294967304 bytes/);
});

/** A store with every kind of record, each small. */
async function someExport(t: TestContext): Promise<Buffer> {
  const database = await memory(t);
  const { store, apply } = await openTestStore(database);
  await apply({ kind: 'leaseGrant', id: 7n, ttl: 60 });
  await apply({ kind: 'put', key: bytes('a'), value: bytes('1'), lease: 7n, condition: undefined, previous: false });
  await apply(put('a', '2'));
  await apply({ kind: 'once', token: 'token', command: { kind: 'quota', bytes: 1e9 } });
  await apply({ kind: 'memberRemove', memberId: 'c3' });
  await store.close();
  return await exported(database, 1e6);
}

async function fill({ store, apply }: TestStore, entries: number): Promise<void> {
  const random = seededRandom(5);
  await apply({ kind: 'leaseGrant', id: 3n, ttl: 100 });
  for (let entry = 0; entry < entries; entry++) {
    const commands = Buffer.concat(randomEntry(random, store.revision).map((command) => encodeCommand(command)));
    await store.apply(store.appliedIndex + 1, commands, { term: 1 });
    if (entry % 7 === 0) await store.flush();
  }
}

async function exported(database: Database, bytesMax: number): Promise<Buffer> {
  return Buffer.concat(await drain(await openExport(database, 0), bytesMax));
}

async function drain(opened: StoreExport, bytesMax = 1000): Promise<readonly Buffer[]> {
  const chunks: Buffer[] = [];
  try {
    for (let chunk = await opened.next(bytesMax); chunk !== undefined; chunk = await opened.next(bytesMax)) {
      chunks.push(chunk);
    }
    return chunks;
  } finally {
    await opened.close();
  }
}

async function bringInto(database: Database, chunks: readonly Buffer[]): Promise<ImportedStore> {
  const into = await importing(database, 0, new ManualClock());
  for (const chunk of chunks) await into.write(chunk);
  return await into.finish();
}

function pieces(whole: Buffer, bytes: number): readonly Buffer[] {
  return Array.from({ length: Math.ceil(whole.length / bytes) }, (_, i) => whole.subarray(i * bytes, (i + 1) * bytes));
}

function recordsOf(whole: Buffer): readonly Buffer[] {
  const records: Buffer[] = [];
  for (let at = 0; at < whole.length; ) {
    const { keyBytes, recordBytes } = readRecordHead(whole, at);
    const end = at + recordHeadBytes + keyBytes + (keyBytes === 0 ? 0 : recordBytes);
    records.push(whole.subarray(at, end));
    at = end;
  }
  return records;
}

function head(keyBytes: number, recordBytes: number): Buffer {
  const bytes = Buffer.alloc(recordHeadBytes);
  writeRecordHead(bytes, keyBytes, recordBytes);
  return bytes;
}

async function memory(t: TestContext): Promise<Database> {
  const database: Database = new MemoryLevel({ keyEncoding: 'buffer', valueEncoding: 'buffer' });
  await database.open();
  t.after(() => database.close());
  return database;
}
