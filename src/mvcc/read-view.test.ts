import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../base/random.ts';
import type { KeyRange, KeyValue, RangeRequest, RangeSort } from '../contract/kv.ts';
import { databases } from './testing/databases.ts';
import { NaiveStore } from './testing/naive-store.ts';
import { randomCommand, randomRange } from './testing/random-commands.ts';
import {
  bytes,
  describeKvs,
  everything,
  openTestStore,
  put,
  readAll,
  remove,
  removeRange,
} from './testing/test-store.ts';

const unbounded = { limit: 0, bytesMax: 1_000_000, keysOnly: false };

for (const { name, create } of databases) {
  test(`read view: ${name}: shows one moment, whatever is written, deleted or flushed after it`, async (t) => {
    const { store, apply } = await openTestStore((await create(t)).database);
    for (const key of ['a', 'b', 'c']) await apply(put(key, 'old'));
    await store.flush();
    await apply(put('d', 'in memory'));
    const view = store.readView();
    const before = ['a=old 2/2/1', 'b=old 3/3/1', 'c=old 4/4/1', 'd=in memory 5/5/1'];

    await apply(put('a', 'new'));
    await apply(put('e', 'new'));
    await apply(removeRange('b'));
    assert.deepEqual(await readAll(view), before);
    await store.flush();
    await apply(put('d', 'newer'));
    assert.deepEqual(await readAll(view), before);
    assert.equal(await view.count(everything), 4);
    assert.equal(view.revision, 5);
    await view.close();
    await store.close();
  });

  test(`read view: ${name}: a view of a batch on its way to disk shows it once`, async (t) => {
    const { store, apply } = await openTestStore((await create(t)).database);
    for (const key of ['a', 'b']) await apply(put(key, key));
    const flushed = store.flush();
    const during = store.readView();
    await flushed;
    await apply(remove('a'));
    const after = store.readView();
    assert.deepEqual(await readAll(during), ['a=a 2/2/1', 'b=b 3/3/1']);
    assert.deepEqual(await readAll(after), ['b=b 3/3/1']);
    await Promise.all([during.close(), after.close()]);
    await store.close();
  });

  test(`read view: ${name}: page: as many as the limit, and where the rest begins`, async (t) => {
    const { store, apply } = await openTestStore((await create(t)).database);
    for (const key of ['a', 'b', 'c', 'd']) await apply(put(key));
    const view = store.readView();
    const page = async (range: KeyRange, reverse = false) => {
      const { kvs, next } = await view.page(range, { ...unbounded, limit: 2, reverse });
      return [
        kvs.map((kv) => Buffer.from(kv.key).toString()).join(),
        next === undefined ? next : Buffer.from(next).toString(),
      ];
    };
    assert.deepEqual(await page(everything), ['a,b', 'c']);
    assert.deepEqual(await page({ start: bytes('c'), end: undefined }), ['c,d', undefined]);
    assert.deepEqual(await page({ start: bytes('b'), end: bytes('c') }), ['b', undefined]);
    assert.deepEqual(await page(everything, true), ['d,c', 'c']);
    assert.deepEqual(await page({ start: bytes('a'), end: bytes('c') }, true), ['b,a', undefined]);
    assert.deepEqual(await page({ start: bytes('c'), end: bytes('b') }), ['', undefined]);
    await view.close();
    await store.close();
  });

  test(`read view: ${name}: page: no more bytes than asked for, but at least one key-value`, async (t) => {
    const { store, apply } = await openTestStore((await create(t)).database);
    for (const key of ['a', 'b', 'c']) await apply(put(key, 'x'.repeat(1000)));
    const view = store.readView();
    const count = async (bytesMax: number, keysOnly = false) =>
      (await view.page(everything, { limit: 0, bytesMax, keysOnly })).kvs.length;
    assert.equal(await count(1), 1);
    assert.equal(await count(2_100), 2);
    assert.equal(await count(10_000), 3);
    assert.equal(await count(2_100, true), 3);
    await view.close();
    await store.close();
  });

  test(`read view: ${name}: page: keys only come with their revisions and without values`, async (t) => {
    const { store, apply } = await openTestStore((await create(t)).database);
    await apply(put('a', 'one'));
    await apply(put('a', 'two'));
    const view = store.readView();
    const { kvs } = await view.page(everything, { ...unbounded, keysOnly: true });
    assert.deepEqual(describeKvs(kvs), ['a= 2/3/2']);
    await view.close();
    await store.close();
  });

  test(`read view: ${name}: pages of thousands of keys, half in memory, are the whole`, async (t) => {
    const { store, apply } = await openTestStore((await create(t)).database);
    for (let at = 0; at < 5_000; at++) await apply(put(`key-${(at * 7_919) % 5_000}`, `${at}`));
    await store.flush();
    for (let at = 0; at < 5_000; at += 2) await apply(at % 3 === 0 ? remove(`key-${at}`) : put(`key-${at}`, 'new'));
    const view = store.readView();
    const whole = await readAll(view);
    assert.equal(whole.length, store.keyCount);
    assert.equal(whole.length, 5_000 - 834);
    assert.deepEqual(await readAll(view, everything, 700), whole);
    const keys = whole.map((line) => line.split('=')[0]);
    assert.deepEqual(keys, keys.toSorted());
    assert.equal(await view.count({ start: bytes('k'), end: bytes('l') }), whole.length);
    await view.close();
    await store.close();
  });

  test(`read view: ${name}: random ranges agree with a naive store: pages, counts and sorted lists`, async (t) => {
    const seed = 4_242;
    const random = seededRandom(seed);
    const { store, apply } = await openTestStore((await create(t)).database);
    const naive = new NaiveStore();
    for (let step = 0; step < 250; step++) {
      const command = randomCommand(random, naive.revision);
      naive.apply(command);
      await apply(command);
      if (random.below(30) === 0) await store.flush();
      if (random.below(3) > 0) continue;

      const view = store.readView();
      const range = randomRange(random);
      const inside = naive.range(range);
      const message = `seed ${seed}, step ${step}`;
      const limit = random.below(5);
      assert.equal(await view.count(range), inside.length, message);
      const { kvs, next } = await view.page(range, { ...unbounded, limit });
      const expected = limit === 0 ? inside : inside.slice(0, limit);
      assert.deepEqual(describeKvs(kvs), describeKvs(expected), message);
      assert.deepEqual(
        next && Buffer.from(next),
        inside[expected.length] && Buffer.from(inside[expected.length]?.key ?? []),
        message,
      );
      const reversed = await view.page(range, { ...unbounded, limit, reverse: true });
      assert.deepEqual(
        describeKvs(reversed.kvs),
        describeKvs(inside.toReversed().slice(0, limit || inside.length)),
        message,
      );

      const options = randomSort(seed + step);
      const { bytesMax, ...wishes } = options;
      const sorted = await view.list({ range, countOnly: false, ...wishes }, bytesMax);
      assert.deepEqual(describeKvs(sorted.kvs), describeKvs(naiveSorted(inside, options)), message);
      assert.equal(sorted.more, sorted.kvs.length < inside.length, message);
      await view.close();
    }
    assert.equal(store.openViews, 0);
    await store.close();
  });

  test(`read view: ${name}: is counted until it is closed, and closed once`, async (t) => {
    const { store, apply } = await openTestStore((await create(t)).database);
    await apply(put('a'));
    const views = [store.readView(), store.readView()] as const;
    assert.equal(store.openViews, 2);
    await Promise.all([views[0].close(), views[0].close()]);
    assert.equal(store.openViews, 1);
    await assert.rejects(views[0].count(everything), /closed/);
    await assert.rejects(views[0].page(everything, unbounded), /closed/);
    await views[1].close();
    assert.equal(store.openViews, 0);
    await store.close();
  });

  test(`read view: ${name}: many views between writes leave few layers to look through`, async (t) => {
    const { store, apply } = await openTestStore((await create(t)).database);
    const views = [];
    for (let at = 0; at < 300; at++) {
      await apply(put(`key-${at % 50}`, `${at}`));
      views.push(store.readView());
    }
    for (const [at, view] of views.entries()) {
      assert.equal(await view.count(everything), Math.min(at + 1, 50));
      assert.deepEqual(await readAll(view, { start: bytes(`key-${at % 50}`), end: bytes(`key-${at % 50}\x00`) }), [
        `key-${at % 50}=${at} ${2 + (at % 50)}/${at + 2}/${Math.floor(at / 50) + 1}`,
      ]);
      await view.close();
    }
    await store.close();
  });
}

type SortedOptions = Pick<RangeRequest, 'limit' | 'keysOnly' | 'sort' | 'order'> & { readonly bytesMax: number };

function randomSort(seed: number): SortedOptions {
  const random = seededRandom(seed);
  const sorts: readonly RangeSort[] = ['key', 'modRevision', 'createRevision', 'version', 'value'];
  return {
    limit: random.below(6),
    bytesMax: random.below(3) === 0 ? random.below(300) : 1_000_000,
    keysOnly: random.below(2) === 0,
    sort: sorts[random.below(sorts.length)] ?? 'key',
    order: random.below(2) === 0 ? 'asc' : 'desc',
  };
}

function naiveSorted(
  inside: readonly KeyValue[],
  { limit, bytesMax, keysOnly, sort, order }: SortedOptions,
): readonly KeyValue[] {
  const sign = order === 'asc' ? 1 : -1;
  const sorted = inside.toSorted((a, b) =>
    sort === 'key' || sort === 'value'
      ? sign * (Buffer.compare(a[sort], b[sort]) || Buffer.compare(a.key, b.key))
      : sign * (a[sort] - b[sort] || Buffer.compare(a.key, b.key)),
  );
  const kvs = sorted.map((kv) => (keysOnly ? { ...kv, value: new Uint8Array() } : kv));
  let bytes = 0;
  let count = 0;
  for (const kv of kvs) {
    bytes += kv.key.length + kv.value.length + 24;
    if (count > 0 && (bytes > bytesMax || count === limit)) break;
    count++;
  }
  return kvs.slice(0, count);
}
