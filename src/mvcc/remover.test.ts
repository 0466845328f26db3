import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import type { ManualClock } from '../base/testing/manual-clock.ts';
import { keyRange } from '../contract/key-range.ts';
import type { TxnOperation } from '../contract/txn.ts';
import type { Command } from './command.ts';
import { tables } from './key-space.ts';
import { databases, dumpDatabase, type TestDatabase } from './testing/databases.ts';
import { bytes, everything, openTestStore, put, remove } from './testing/test-store.ts';

for (const { name, create } of databases) {
  test(`remover: ${name}: after a compaction the disk holds what can still be read and watched, and no more`, async (t) => {
    const { database } = await create(t);
    const { store, clock, apply } = await openTestStore(database);
    for (const value of ['1', '2', '3', '4']) await apply(put('a', value));
    await apply(remove('a'));
    await apply(put('b'));
    assert.deepEqual(await rows(database), { current: 0, history: 0, changes: 0 });
    await onDisk(database, clock, { current: 1, history: 4, changes: 6 });

    await apply({ kind: 'compact', revision: 4 });
    // The third version was replaced by revision 5, and the fourth deleted by revision 6.
    await onDisk(database, clock, { current: 1, history: 2, changes: 4 });
    assert.deepEqual(await eventsFrom(store, 4), ['4 put a=3', '5 put a=4', '6 delete a=', '7 put b=']);

    await apply({ kind: 'compact', revision: 7 });
    await onDisk(database, clock, { current: 1, history: 0, changes: 1 });
    await store.close();
  });

  test(`remover: ${name}: a key that the compact revision itself put and deleted is still told of`, async (t) => {
    const { database } = await create(t);
    const first = await openTestStore(database);
    await first.apply(put('b'));
    await first.apply(putAndDelete('a', 'value'));
    await first.apply({ kind: 'compact', revision: 3 });
    await onDisk(database, first.clock, { current: 1, history: 1, changes: 1 });
    await first.store.close();

    // In a new process nothing of it is in memory.
    const { store, clock, apply } = await openTestStore(database);
    assert.deepEqual(await eventsFrom(store, 3), ['3 put a=value', '3 delete a=']);
    await apply(put('c'));
    await apply({ kind: 'compact', revision: 4 });
    await onDisk(database, clock, { current: 2, history: 0, changes: 1 });
    await store.close();
  });
}

/** The only way to change a key twice in one revision: two transactions, one after the other, within one. */
function putAndDelete(key: string, value: string): Command {
  const operations: readonly TxnOperation[] = [
    { kind: 'put', key: bytes(key), value: bytes(value) },
    { kind: 'delete', range: keyRange(bytes(key)) },
  ];
  const success = operations.map((operation): TxnOperation => {
    return { kind: 'txn', txn: { compare: [], success: [operation], failure: [] } };
  });
  return { kind: 'txn', txn: { compare: [], success, failure: [] } };
}

/** Removal goes on in the background, and what it removes goes down with the next batch: no entry has to follow. */
async function onDisk(
  database: TestDatabase['database'],
  clock: ManualClock,
  expected: Record<string, number>,
): Promise<void> {
  for (let round = 0; round < 200; round++) {
    clock.advance(100);
    await new Promise(setImmediate);
    if (isDeepStrictEqual(await rows(database), expected)) return;
  }
  assert.deepEqual(await rows(database), expected);
}

async function rows(database: TestDatabase['database']): Promise<Record<string, number>> {
  const found = (await dumpDatabase(database)).map((row) => Number.parseInt(row.slice(8, 10), 16));
  const count = (table: number): number => found.filter((one) => one === table).length;
  return { current: count(tables.current), history: count(tables.history), changes: count(tables.changes) };
}

async function eventsFrom(
  store: Awaited<ReturnType<typeof openTestStore>>['store'],
  revision: number,
): Promise<string[]> {
  const told: string[] = [];
  const sink = {
    onBatch: ({ revision: at, events }: Parameters<Parameters<typeof store.watch>[1]['onBatch']>[0]) => {
      for (const { type, kv } of events) told.push(`${at} ${type} ${Buffer.from(kv.key)}=${Buffer.from(kv.value)}`);
      return true;
    },
    onProgress: () => true,
    onEnd: (error: Error) => told.push(error.message),
  };
  const watch = store.watch({ range: everything, revision, previous: false, filter: undefined }, sink);
  while (store.watches.behind > 0) await new Promise(setImmediate);
  watch.close();
  return told;
}
