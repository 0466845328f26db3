import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BalsaError } from '../contract/errors.ts';
import { inspectStore } from './inspect-store.ts';
import type { MemberRecord } from './member-record.ts';
import { refoundStore } from './refound-store.ts';
import { createLevelDatabase, databases, dumpDatabase } from './testing/databases.ts';
import { bytes, everything, openTestStore, put, readAll, remove, type TestStore } from './testing/test-store.ts';

const fresh: readonly MemberRecord[] = ['f6', 'e5'].map((id) => ({
  id,
  name: `new-${id}`,
  peerUrls: [`http://${id}:1`],
  clientUrls: [],
  version: '',
}));

for (const { name, create } of databases) {
  test(`refound over ${name}: keys, values and leases stay; members, revision and history are new`, async (t) => {
    const { database } = await create(t);
    const before = await openTestStore(database);
    await fill(before);
    const { revision, keyCount, appliedIndex, usedBytes } = before.store;
    await before.store.close();
    await refoundStore(database, 0, { members: fresh, bumpRevision: 1000 });
    const { store } = await openTestStore(database);
    assert.deepEqual(
      [store.revision, store.compactRevision, store.appliedIndex],
      [revision + 1000, revision + 1000, appliedIndex],
    );
    assert.deepEqual(store.members, [...fresh].reverse());
    assert.deepEqual([...store.removedMembers].sort(), ['a1', 'b2', 'c3', 'gone']);
    assert.deepEqual([store.keyCount, [...store.leases.keys()]], [keyCount, [7n]]);
    const view = store.readView();
    assert.deepEqual(await readAll(view), ['a=2 2/3/2', 'b=1 4/4/1']);
    await view.close();
    const [leased] = await store.leaseKeys(7n);
    assert.equal(Buffer.from(leased ?? '').toString(), 'b');
    assert(store.usedBytes < usedBytes, 'what the history took is free again');
    await store.close();
  });
}

test('refound: whoever watches from a revision of before is told that it is gone, and goes on from the new one', async (t) => {
  const { database } = await (databases[0]?.create(t) ?? assert.fail());
  const before = await openTestStore(database);
  await fill(before);
  const { revision } = before.store;
  await before.store.close();
  await refoundStore(database, 0, { members: fresh, bumpRevision: 50 });
  const { store, apply } = await openTestStore(database);
  // One that was told of later revisions, by members that are lost now, as well.
  for (const seen of [2, revision, revision + 1, revision + 49]) {
    const ended = new Promise<BalsaError>((resolve) => {
      const sink = { onBatch: () => true, onProgress: () => true, onEnd: resolve };
      store.watch({ range: everything, revision: seen, previous: false, filter: undefined }, sink);
    });
    assert.equal((await ended).code, 'compacted', `from ${seen}`);
  }
  const told: number[] = [];
  const onBatch = (batch: { readonly revision: number }): boolean => told.push(batch.revision) > 0;
  const sink = { onBatch, onProgress: () => true, onEnd: (error: BalsaError) => assert.fail(error) };
  store.watch({ range: everything, revision: store.revision + 1, previous: false, filter: undefined }, sink);
  await apply(put('c', 'new'));
  assert.deepEqual(told, [revision + 51]);
  await apply({ kind: 'compact', revision: revision + 51 });
  assert.equal(store.compactRevision, revision + 51);
  await store.close();
});

test('refound: twice from the same state gives the same bytes; from other options another hash', async (t) => {
  const hashes = new Set<number>();
  const dumps: (readonly string[])[] = [];
  for (const [members, bumpRevision] of [
    [fresh, 9],
    [[...fresh].reverse(), 9],
    [fresh, 10],
    [fresh.slice(1), 9],
  ] as const) {
    const { database } = await createLevelDatabase(t);
    const before = await openTestStore(database);
    await fill(before);
    await before.store.close();
    const { hash } = await refoundStore(database, 0, { members, bumpRevision });
    hashes.add(hash);
    dumps.push(await dumpDatabase(database));
  }
  assert.equal(hashes.size, 3);
  assert.deepEqual(dumps[0], dumps[1]);
});

test('refound: an id of a removed member, no rise of the revision, and no store are refused before anything changes', async (t) => {
  const { database } = await (databases[0]?.create(t) ?? assert.fail());
  await assert.rejects(refoundStore(database, 0, { members: fresh, bumpRevision: 1 }), { name: 'DamagedValue' });
  const before = await openTestStore(database);
  await fill(before);
  await before.store.close();
  const dump = await dumpDatabase(database);
  const [one] = fresh;
  assert(one !== undefined);
  await assert.rejects(
    refoundStore(database, 0, { members: [{ ...one, id: 'gone' }], bumpRevision: 1 }),
    /was removed/,
  );
  for (const bumpRevision of [0, -1, 0.5, 2 ** 53]) {
    await assert.rejects(refoundStore(database, 0, { members: fresh, bumpRevision }), /cannot rise/);
  }
  assert.deepEqual(await dumpDatabase(database), dump);
  // One that goes on under its old id is no removed one.
  await refoundStore(database, 0, { members: [{ ...one, id: 'a1' }], bumpRevision: 1 });
  const facts = await inspectStore(database, 0);
  assert.deepEqual([facts?.members.map(({ id }) => id), facts?.removedMembers], [['a1'], ['b2', 'c3', 'gone']]);
});

async function fill({ apply }: TestStore): Promise<void> {
  const gone = { id: 'gone', name: '', peerUrls: [], clientUrls: [], version: '' };
  await apply({ kind: 'memberAdd', member: gone });
  await apply({ kind: 'memberRemove', memberId: 'gone' });
  await apply({ kind: 'leaseGrant', id: 7n, ttl: 60 });
  await apply(put('a', '1'));
  await apply(put('a', '2'));
  await apply({ kind: 'put', key: bytes('b'), value: bytes('1'), lease: 7n, condition: undefined, previous: false });
  await apply(put('c', '1'));
  await apply(remove('c'));
  await apply({ kind: 'alarm', action: 'raise', memberId: 'a1', index: 1, hash: 2 });
}
