import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { BalsaError } from '../contract/errors.ts';
import { encodeCommand } from './command.ts';
import type { Database } from './database.ts';
import { ReplaceableStore } from './replaceable-store.ts';
import type { Store } from './store.ts';
import { createLevelDatabase } from './testing/databases.ts';
import { bytes, everything, openTestStore, put, readAll } from './testing/test-store.ts';

const unavailable = { code: 'unavailable', message: /taken in a snapshot/ };

test('replaced: reads, members, leases and the applied index are those of the new store, and applying goes on', async (t) => {
  const { store, next } = await pair(t);
  const leases: bigint[] = [];
  store.onLeaseChange = (id) => leases.push(id);
  await store.exchange(next);
  assert.equal(store.get(bytes('old')), undefined);
  assert.equal(Buffer.from(store.get(bytes('new'))?.value ?? '').toString(), '2');
  assert.deepEqual([store.appliedIndex, [...store.leases.keys()], store.members.length], [3, [9n], 3]);
  await store.apply(4, encodeCommand(put('more')), { term: 2 });
  await store.apply(5, encodeCommand({ kind: 'leaseGrant', id: 11n, ttl: 9 }), { term: 2 });
  const view = store.readView();
  assert.deepEqual(await readAll(view), ['more= 4/4/1', 'new=2 2/3/2']);
  await view.close();
  assert.deepEqual(leases, [11n]);
  await store.close();
});

test('replaced: a view that is open ends with an error that says to try again, in the middle of a page too', async (t) => {
  const { store, next } = await pair(t);
  const [idle, reading] = [store.readView(), store.readView()];
  const page = reading.page(everything, { limit: 0, bytesMax: 1e6, keysOnly: false });
  const outcome = page.then(
    ({ kvs }) => kvs.length,
    (reason: BalsaError) => reason.code,
  );
  await store.exchange(next);
  // It was read to its end before the store was taken away, or not at all.
  assert(['unavailable', 1].includes(await outcome));
  for (const view of [idle, reading]) {
    await assert.rejects(view.get(bytes('old')), unavailable);
    await assert.rejects(view.count(everything), unavailable);
    await assert.rejects(view.page(everything, { limit: 1, bytesMax: 1, keysOnly: false }), unavailable);
    await view.close();
  }
  assert.equal(store.openViews, 0);
  await store.close();
});

test('replaced: watches end with an error after which they can be begun again, on the new store', async (t) => {
  const { store, next } = await pair(t);
  const ends: BalsaError[] = [];
  const told: number[] = [];
  const sink = {
    onBatch: ({ revision }: { readonly revision: number }) => told.push(revision) > 0,
    onProgress: () => true,
    onEnd: (error: BalsaError) => ends.push(error),
  };
  const request = { range: everything, revision: undefined, previous: false, filter: undefined };
  store.watch(request, sink);
  await store.exchange(next);
  assert.deepEqual([ends.length, ends[0]?.code, ends[0]?.kind.retryable], [1, 'unavailable', true]);
  store.watch({ ...request, revision: 3 }, sink);
  await store.apply(4, encodeCommand(put('more')), { term: 2 });
  while (told.length < 2) await new Promise(setImmediate);
  assert.deepEqual(told, [3, 4]);
  await store.close();
});

test('replaced: an export that is open ends, and what is asked meanwhile is told to try again', async (t) => {
  const { store, next } = await pair(t);
  const opened = await store.openExport();
  let isBetween = false;
  await store.exchange(async () => {
    isBetween = true;
    assert.throws(() => store.get(bytes('old')), unavailable);
    assert.throws(() => store.readView(), unavailable);
    assert.throws(() => store.apply(2, encodeCommand(put('x')), { term: 1 }), { name: 'InvariantViolation' });
    await assert.rejects(store.leaseKeys(1n), unavailable);
    await assert.rejects(store.openExport(), unavailable);
    // What is shown of the store stays what it was.
    assert.deepEqual([store.appliedIndex, store.revision], [1, 2]);
    return await next();
  });
  assert(isBetween);
  await assert.rejects(opened.next(10), unavailable);
  await opened.close();
  await store.close();
});

test('replaced: a scrub under way goes on with the new store', async (t) => {
  const { store, next, advance } = await pair(t);
  const scrubbed = store.scrub({ pauseMs: 0, signal: new AbortController().signal });
  await store.exchange(next);
  let records: number | undefined;
  void scrubbed.then((count) => {
    records = count;
  });
  while (records === undefined) {
    await new Promise(setImmediate);
    advance(1);
  }
  assert(records > 5);
  await store.close();
});

test('replaced: only the failure of the present store is one', async (t) => {
  const { store, next, first } = await pair(t);
  let failure: unknown;
  store.failed.catch((reason: unknown) => {
    failure = reason;
  });
  await store.exchange(async () => {
    await first.close();
    return await next();
  });
  for (let round = 0; round < 5; round++) await new Promise(setImmediate);
  assert.equal(failure, undefined);
  await store.apply(4, encodeCommand(put('more')), { term: 2 });
  await store.close();
});

test('replaced: if there is no new store there is none', async (t) => {
  const { store } = await pair(t);
  await assert.rejects(
    store.exchange(() => Promise.reject(new Error('no disk'))),
    /no disk/,
  );
  assert.throws(() => store.get(bytes('old')), unavailable);
  await store.close();
});

interface Pair {
  readonly store: ReplaceableStore;
  /** The database of the present store. */
  readonly first: Database;
  /** Opens the store that takes its place. */
  readonly next: () => Promise<Store>;
  /** Time passes for both. */
  advance(ms: number): void;
}

async function pair(t: TestContext): Promise<Pair> {
  const [first, second] = [(await createLevelDatabase(t)).database, (await createLevelDatabase(t)).database];
  const old = await openTestStore(first);
  await old.apply(put('old', '1'));
  const coming = await openTestStore(second);
  await coming.apply({ kind: 'leaseGrant', id: 9n, ttl: 60 });
  await coming.apply(put('new', '1'));
  await coming.apply(put('new', '2'));
  await coming.store.flush();
  const advance = (ms: number): void => {
    old.clock.advance(ms);
    coming.clock.advance(ms);
  };
  return { store: new ReplaceableStore(old.store), first, next: async () => coming.store, advance };
}
