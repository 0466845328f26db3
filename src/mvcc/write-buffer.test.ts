import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tables } from './key-space.ts';
import type { Store } from './store.ts';
import { createLevelDatabase, databases, dumpDatabase } from './testing/databases.ts';
import { bytes, openTestStore, put, readAll, remove, removeRange } from './testing/test-store.ts';

for (const { name, create } of databases) {
  test(`write buffer: ${name}: changes are seen at once and durable after the interval`, async (t) => {
    const { store, clock, apply } = await openTestStore((await create(t)).database, { flushIntervalMs: 50 });
    await apply(put('a', 'value'));
    clock.advance(30);
    await apply(put('b', 'value'));
    clock.advance(19);
    assert.equal(store.durableIndex, 0);
    assert(store.bufferedBytes > 0);
    assert.equal(store.get(bytes('a'))?.modRevision, 2);

    clock.advance(1);
    await durable(store, 2);
    assert.equal(store.bufferedBytes, 0);
    assert.equal(clock.timers, 0);
    await store.close();
  });

  test(`write buffer: ${name}: enough changes do not wait for the interval`, async (t) => {
    const { store, apply } = await openTestStore((await create(t)).database, { flushChangesMax: 3 });
    for (const key of ['a', 'a', 'b']) await apply(put(key));
    assert.equal(store.durableIndex, 0);
    await apply(put('c'));
    await durable(store, 4);
    await store.close();
  });

  test(`write buffer: ${name}: enough bytes do not wait for the interval`, async (t) => {
    const { store, apply } = await openTestStore((await create(t)).database);
    for (const key of ['a', 'b', 'c', 'd', 'e']) await apply(put(key, 'x'.repeat(1024 * 1024)));
    await durable(store, 4);
    await store.close();
  });

  test(`write buffer: ${name}: one batch at a time: what comes meanwhile goes into the next`, async (t) => {
    const { store, clock, apply } = await openTestStore((await create(t)).database);
    await apply(put('a', '1'));
    await apply(put('b', '1'));
    clock.advance(50);
    await Promise.all([apply(put('a', '2')), apply(remove('b'))]);
    assert.equal(store.get(bytes('a'))?.modRevision, 4);
    assert.equal(store.get(bytes('b')), undefined);
    await durable(store, 2);
    assert.equal(store.get(bytes('a'))?.modRevision, 4);
    assert.equal(store.get(bytes('b')), undefined);
    clock.advance(50);
    await durable(store, 4);
    const view = store.readView();
    assert.deepEqual(await readAll(view), ['a=2 2/4/2']);
    await view.close();
    await store.close();
  });

  test(`write buffer: ${name}: room is made without waiting for what came last`, async (t) => {
    const { store, apply } = await openTestStore((await create(t)).database);
    for (const key of ['a', 'b', 'c', 'd', 'e']) await apply(put(key, 'x'.repeat(1024 * 1024)));
    // The first four are on their way.
    await store.makeRoom(2 * 1024 * 1024);
    assert.equal(store.durableIndex, 4);
    assert(store.bufferedBytes > 1024 * 1024);
    await store.makeRoom(0);
    assert.equal(store.durableIndex, 5);
    await store.close();
  });

  test(`write buffer: ${name}: a deletion that a view has sealed hides the older value`, async (t) => {
    const { store, apply } = await openTestStore((await create(t)).database);
    await apply(put('a', '1'));
    await store.flush();
    await apply(remove('a'));
    await store.readView().close();
    assert.equal(store.get(bytes('a')), undefined);
    await store.close();
  });

  test(`write buffer: ${name}: entries that change nothing are durable in the end, without a batch each`, async (t) => {
    const { store, clock, apply } = await openTestStore((await create(t)).database);
    store.apply(1, undefined);
    await apply(remove('nothing'));
    clock.advance(1_000);
    assert.equal(clock.timers, 1);
    await store.flush();
    assert.equal(store.durableIndex, 2);
    store.apply(3, undefined);
    clock.advance(5_000);
    await durable(store, 3);
    assert.equal(clock.timers, 0);
    await store.close();
  });

  test(`write buffer: ${name}: a change after entries without one does not wait longer for it`, async (t) => {
    const { store, clock, apply } = await openTestStore((await create(t)).database);
    store.apply(1, undefined);
    await apply(put('a'));
    clock.advance(50);
    await durable(store, 2);
    await store.close();
  });

  test(`write buffer: ${name}: the deletions of a range and their index are in one batch`, async (t) => {
    const { database } = await create(t);
    const { store, clock, apply } = await openTestStore(database, { bootstrapMembers: [] });
    for (let at = 0; at < 2_500; at++) await apply(put(`key-${at}`));
    await store.flush();
    const deletion = apply(removeRange('key-', 'key.'));
    store.flush();
    clock.advance(50);
    assert.deepEqual(await deletion, { kind: 'delete', revision: 2_502, deleted: 2_500, previous: undefined });
    await store.flush();
    assert.equal(store.durableIndex, 2_501);
    const left = (await dumpDatabase(database)).map((row) => Number.parseInt(row.slice(8, 10), 16));
    const rows = (table: number): number => left.filter((one) => one === table).length;
    assert.deepEqual([rows(tables.current), rows(tables.history), rows(tables.meta)], [0, 2_500, 1]);
    await store.close();
  });

  test(`write buffer: ${name}: close makes everything durable`, async (t) => {
    const { database } = await create(t);
    const { store, clock, apply } = await openTestStore(database);
    await apply(put('a', '1'));
    await store.close();
    assert.equal(clock.timers, 0);
    const reopened = await openTestStore(database);
    assert.equal(reopened.store.durableIndex, 1);
    await reopened.store.close();
  });

  test(`write buffer: ${name}: a write that failed poisons the store`, async (t) => {
    const disk = await create(t);
    const { store, clock, apply } = await openTestStore(disk.database);
    await apply(put('a', '1'));
    await disk.database.close();
    clock.advance(50);
    await assert.rejects(store.failed, {
      name: 'StoreFailed',
      message: /Nothing applied after log index 0 is on this member's disk/,
    });
    assert.throws(() => store.apply(2, undefined), { name: 'StoreFailed' });
    assert.throws(() => store.get(bytes('a')), { name: 'StoreFailed' });
    assert.throws(() => store.readView(), { name: 'StoreFailed' });
    await assert.rejects(store.flush(), { name: 'StoreFailed' });

    // Not even when the database would work again.
    await disk.database.open();
    clock.advance(10_000);
    await assert.rejects(store.close(), { name: 'StoreFailed' });
    assert.equal(store.durableIndex, 0);
    const reopened = await openTestStore(disk.database);
    assert.equal(reopened.store.appliedIndex, 0);
    await reopened.store.close();
  });
}

test('write buffer: a failure that nobody asks about does not end the process unhandled', async (t) => {
  const { database } = await createLevelDatabase(t);
  const { store, clock, apply } = await openTestStore(database);
  await apply(put('a', '1'));
  await database.close();
  clock.advance(50);
  await new Promise(setImmediate);
  await assert.rejects(store.close(), { name: 'StoreFailed' });
});

/** Without asking for a flush. */
async function durable(store: Store, index: number): Promise<void> {
  while (store.durableIndex < index) await new Promise(setImmediate);
  assert.equal(store.durableIndex, index);
}
