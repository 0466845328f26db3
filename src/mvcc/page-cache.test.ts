import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../base/random.ts';
import type { KeyRange } from '../contract/kv.ts';
import type { ReadView, Store } from './store.ts';
import { createLevelDatabase } from './testing/databases.ts';
import { bytes, describeKvs, openTestStore, put, remove, removeRange } from './testing/test-store.ts';

const options = { limit: 0, bytesMax: 1_000_000, keysOnly: false };
const fromBToD: KeyRange = { start: bytes('b'), end: bytes('d') };

test('pages: one that was read before comes again, until a key of its range changes', async (t) => {
  const { store, apply } = await openTestStore((await createLevelDatabase(t)).database);
  for (const key of ['a', 'b', 'c', 'd']) await apply(put(key, 'old'));
  const page = () => withView(store, (view) => view.page(fromBToD, options));
  await page();
  const kept = await page();
  assert.deepEqual(describeKvs(kept.kvs), ['b=old 3/3/1', 'c=old 4/4/1']);
  for (const command of [put('a', 'new'), put('d', 'new'), remove('d'), removeRange('a', 'b')]) {
    await apply(command);
    assert.equal((await page()).kvs, kept.kvs, 'nothing of it has changed');
  }
  for (const [command, expected] of [
    [put('c', 'new'), ['b=old 3/3/1', 'c=new 4/10/2']],
    [put('bb', 'added'), ['b=old 3/3/1', 'bb=added 11/11/1', 'c=new 4/10/2']],
    [remove('b'), ['bb=added 11/11/1', 'c=new 4/10/2']],
    [removeRange('a', 'z'), []],
  ] as const) {
    await apply(command);
    assert.deepEqual(describeKvs((await page()).kvs), expected);
    assert.deepEqual(describeKvs((await page()).kvs), expected);
  }
  await store.close();
});

test('pages: a walk through all keys leaves those in place that are asked for again', async (t) => {
  const { store, apply } = await openTestStore((await createLevelDatabase(t)).database);
  for (let at = 0; at < 200; at++) await apply(put(`key ${at}`));
  const first = { start: bytes('key 1'), end: bytes('key 2') };
  const page = () => withView(store, (view) => view.page(first, options));
  await page();
  const kept = await page();
  await withView(store, async (view) => {
    for (let start: Uint8Array | undefined = bytes('key'); start !== undefined; ) {
      start = (await view.page({ start, end: undefined }, { ...options, limit: 1 })).next;
    }
  });
  assert.equal((await page()).kvs, kept.kvs);
  await store.close();
});

test('pages: what differs in limit, bytes, direction or values is another page', async (t) => {
  const { store, apply } = await openTestStore((await createLevelDatabase(t)).database);
  for (const key of ['b', 'c']) await apply(put(key, 'value'));
  for (let time = 0; time < 3; time++) {
    await withView(store, async (view) => {
      const read = async (other: Partial<Parameters<ReadView['page']>[1]>, range = fromBToD) => {
        const { kvs, next } = await view.page(range, { ...options, ...other });
        return [...describeKvs(kvs), next?.toString()];
      };
      assert.deepEqual(await read({}), ['b=value 2/2/1', 'c=value 3/3/1', undefined]);
      assert.deepEqual(await read({ limit: 1 }), ['b=value 2/2/1', 'c']);
      assert.deepEqual(await read({ bytesMax: 1 }), ['b=value 2/2/1', 'c']);
      assert.deepEqual(await read({ reverse: true }), ['c=value 3/3/1', 'b=value 2/2/1', undefined]);
      assert.deepEqual(await read({ keysOnly: true }), ['b= 2/2/1', 'c= 3/3/1', undefined]);
      assert.deepEqual(await read({ bounds: { minModRevision: 3 } }), ['c=value 3/3/1', undefined]);
      assert.deepEqual(await read({}, { start: bytes('b'), end: undefined }), [
        'b=value 2/2/1',
        'c=value 3/3/1',
        undefined,
      ]);
      assert.deepEqual(await read({}, { start: bytes('b<c'), end: undefined }), ['c=value 3/3/1', undefined]);
      assert.deepEqual(await read({}, { start: bytes('b'), end: bytes('c') }), ['b=value 2/2/1', undefined]);
    });
  }
  await store.close();
});

test('pages: one that was read while a key of it changed is not kept, and shows the moment of its view', async (t) => {
  const { store, apply } = await openTestStore((await createLevelDatabase(t)).database);
  await apply(put('b', 'old'));
  await shown(store);
  const view = store.readView();
  const reading = view.page(fromBToD, options);
  await apply(put('b', 'new'));
  assert.deepEqual(describeKvs((await reading).kvs), ['b=old 2/2/1']);
  assert.deepEqual(await shown(store), ['b=new 2/3/2']);
  assert.deepEqual(describeKvs((await view.page(fromBToD, options)).kvs), ['b=old 2/2/1']);
  assert.deepEqual(await shown(store), ['b=new 2/3/2']);
  await view.close();
  await store.close();
});

test('pages: all that is read is what was there, whatever is written between and meanwhile', async (t) => {
  const seed = 11;
  const random = seededRandom(seed);
  const { store, apply } = await openTestStore((await createLevelDatabase(t)).database);
  const present = new Map<string, string>();
  const letter = (): string => String.fromCharCode(97 + random.below(6));
  const checks: Promise<void>[] = [];
  for (let step = 0; step < 2000; step++) {
    const [key, end] = [letter(), letter()];
    const kind = random.below(10);
    if (kind === 0) {
      await apply(put(key, `${step}`));
      present.set(key, `${step}`);
    } else if (kind === 1) {
      await apply(key < end ? removeRange(key, end) : remove(key));
      for (const known of [...present.keys()]) {
        if (key < end ? known >= key && known < end : known === key) present.delete(known);
      }
    } else if (kind === 2) {
      await store.flush();
    } else {
      const expected = [...present].filter(([known]) => known >= key && known < end).sort();
      const view = store.readView();
      const check = view.page({ start: bytes(key), end: bytes(end) }, options).then(async ({ kvs }) => {
        const found = kvs.map((kv) => [Buffer.from(kv.key).toString(), Buffer.from(kv.value).toString()]);
        assert.deepEqual(found, expected, `seed ${seed}, step ${step}`);
        await view.close();
      });
      checks.push(check);
      if (random.below(2) === 0) await check;
    }
  }
  await Promise.all(checks);
  await store.close();
});

async function withView<T>(store: Store, read: (view: ReadView) => Promise<T>): Promise<T> {
  const view = store.readView();
  try {
    return await read(view);
  } finally {
    await view.close();
  }
}

async function shown(store: Store): Promise<readonly string[]> {
  const { kvs } = await withView(store, (view) => view.page(fromBToD, options));
  return describeKvs(kvs);
}
