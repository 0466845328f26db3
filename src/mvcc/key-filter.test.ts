import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { Database } from './database.ts';
import { databases } from './testing/databases.ts';
import { bytes, openTestStore, put, remove } from './testing/test-store.ts';

const enough = 1024;

for (const { name, create } of databases) {
  test(`key filter: ${name}: LevelDB is not asked for keys that an empty store never got`, async (t) => {
    const { database } = await create(t);
    const { store, apply } = await openTestStore(database);
    const asked = askedOf(t, database);
    // More than the cache of records holds, so that LevelDB is asked for what is there.
    for (let i = 0; i < 12; i++) await apply(put(`large-${i}`, 'x'.repeat(2 ** 20)));
    await store.flush();
    assert.deepEqual(asked(), []);
    assert.equal(store.get(bytes('nothing')), undefined);
    assert.equal(store.get(bytes('large-0'))?.version, 1);
    assert.deepEqual(asked(), ['large-0']);
    await store.close();
  });

  test(`key filter: ${name}: after a restart the keys are read through once enough questions were in vain`, async (t) => {
    const { database } = await create(t);
    const before = await openTestStore(database);
    for (let i = 0; i < 3000; i++) await before.apply(put(`old-${i}`));
    await before.store.close();

    const { store, apply } = await openTestStore(database);
    const asked = askedOf(t, database);
    for (let i = 0; i < enough; i++) store.get(bytes(`nothing-${i}`));
    assert.equal(asked().length, enough);
    // What comes, goes and becomes durable while the keys are read is known as well.
    for (let i = 0; i < 500; i++) {
      await apply(put(`new-${i}`));
      await apply(remove(`old-${i}`));
      if (i % 100 === 0) await store.flush();
      await setImmediate();
    }
    await store.flush();
    for (let soFar = 0; soFar < asked().length; await setImmediate()) {
      soFar = asked().length;
      store.get(bytes(`more-${soFar}`));
    }
    for (let i = 0; i < 3000; i++) assert.equal(store.get(bytes(`old-${i}`)) !== undefined, i >= 500);
    for (let i = 0; i < 500; i++) assert.equal(store.get(bytes(`new-${i}`))?.version, 1);
    await store.close();
  });

  test(`key filter: ${name}: a store that lacks a key that it counts stops`, async (t) => {
    const { database } = await create(t);
    const before = await openTestStore(database);
    for (const key of ['a', 'b', 'c']) await before.apply(put(key));
    await before.store.close();
    await database.del(Buffer.from('\x00\x00\x00\x00\x10b', 'latin1'));

    const { store } = await openTestStore(database);
    for (let i = 0; i < enough; i++) store.get(bytes(`nothing-${i}`));
    const failed = assert.rejects(store.failed, { name: 'DamagedValue', message: /it counts 3 keys, and there are 2/ });
    await failed;
    await assert.rejects(store.close(), { name: 'DamagedValue' });
  });

  test(`key filter: ${name}: a store can be closed while its keys are read through`, async (t) => {
    const { database } = await create(t);
    const before = await openTestStore(database);
    for (let i = 0; i < 3000; i++) await before.apply(put(`old-${i}`));
    await before.store.close();
    const { store } = await openTestStore(database);
    for (let i = 0; i < enough; i++) store.get(bytes(`nothing-${i}`));
    await store.close();
    await database.close();
    await database.open();
  });
}

/** The keys that LevelDB was asked for since. */
function askedOf(t: TestContext, database: Database): () => readonly string[] {
  const { mock } = t.mock.method(database, 'getSync');
  return () => mock.calls.map(({ arguments: [key] }) => (key as Buffer).subarray(5).toString('latin1'));
}
