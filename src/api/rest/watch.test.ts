// biome-ignore-all lint/suspicious/noThenProperty: a word of the API; nobody awaits these objects
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { open } from '../../server/index.ts';
import type { HttpClient } from './testing/http-client.ts';
import { type RunningApi, startNode } from './testing/start-api.ts';
import { WatchClient, type WatchMessage } from './testing/watch-client.ts';

describe('watch', () => {
  let api: RunningApi;
  let client: HttpClient;

  before(async () => {
    api = await startNode(open);
    client = api.client;
  });

  after(() => api.stop());

  async function put(key: string, value = ''): Promise<number> {
    return Number((await client.call(`PUT /v1/kv/${key}`, { body: value })).json()['revision']);
  }

  async function remove(key: string): Promise<number> {
    return Number((await client.call(`DELETE /v1/kv/${key}`)).json()['revision']);
  }

  /** Event types and keys, as in `put a, delete b`. */
  function summary({ data }: WatchMessage): string {
    const events = data['events'] as { type: string; kv: { key: string } }[];
    return events.map(({ type, kv }) => `${type} ${kv.key}`).join(', ');
  }

  for (const accept of ['text/event-stream', 'application/x-ndjson']) {
    test(`watch: ${accept}: what comes after now, in order`, async () => {
      await put('now/before');
      await using watch = await WatchClient.open(api.url, 'prefix=now/', { accept });
      const start = await watch.next();
      assert.equal(start.type, 'progress');
      assert.equal(`${start.data['revision']}`, watch.headers['balsa-revision']);
      const revisions = [await put('now/a'), await put('now/b'), await remove('now/a')];
      const messages = [await watch.nextChange(), await watch.nextChange(), await watch.nextChange()];
      assert.deepEqual(messages.map(summary), ['put now/a', 'put now/b', 'delete now/a']);
      assert.deepEqual(
        messages.map(({ data }) => data['revision']),
        revisions,
      );
    });
  }

  test('watch: from the past: nothing is left out, nothing comes twice', async () => {
    const first = await put('past/0');
    for (let i = 1; i < 50; i++) await put(`past/${i}`);
    await using watch = await WatchClient.open(api.url, `prefix=past/&revision=${first}`);
    const writing = put('past/50');
    for (let i = 0; i <= 50; i++) {
      const message = await watch.nextChange();
      assert.equal(summary(message), `put past/${i}`);
      assert.equal(message.id, `${first + i}`);
    }
    await writing;
  });

  test('watch: from the future: waits for it', async () => {
    const now = await put('future/a');
    await using watch = await WatchClient.open(api.url, `prefix=future/&revision=${now + 2}`);
    await watch.next();
    await put('future/b');
    await put('future/c');
    assert.equal(summary(await watch.nextChange()), 'put future/c');
  });

  test('watch: resumes after Last-Event-ID, as a browser does', async () => {
    const first = await put('resume/a');
    const second = await put('resume/b');
    await using watch = await WatchClient.open(api.url, `prefix=resume/&revision=${first}`, {
      'last-event-id': `${first}`,
    });
    const message = await watch.nextChange();
    assert.deepEqual([summary(message), message.id], ['put resume/b', `${second}`]);
  });

  test('watch: all events of a revision in one message', async () => {
    await using watch = await WatchClient.open(api.url, 'prefix=txn/');
    const body = JSON.stringify({
      then: [
        { put: { key: 'txn/a', value: '1' } },
        { put: { key: 'txn/b', value: '2' } },
        { put: { key: 'else', value: '' } },
      ],
    });
    await client.call('POST /v1/txn', { body });
    assert.equal(summary(await watch.nextChange()), 'put txn/a, put txn/b');
  });

  test('watch: one key and no other; a range', async () => {
    await using one = await WatchClient.open(api.url, 'key=single/a');
    await using range = await WatchClient.open(api.url, 'start=single/b&end=single/d');
    for (const key of ['a0', 'b', 'd', 'a', 'c']) await put(`single/${key}`);
    assert.equal(summary(await one.nextChange()), 'put single/a');
    assert.equal(summary(await range.nextChange()), 'put single/b');
    assert.equal(summary(await range.nextChange()), 'put single/c');
  });

  test('watch: prevKv: what was there before', async () => {
    await using watch = await WatchClient.open(api.url, 'prefix=prev/&prevKv');
    await put('prev/a', '1');
    await put('prev/a', '2');
    await remove('prev/a');
    const previous = [];
    for (let i = 0; i < 3; i++) {
      const [event] = (await watch.nextChange()).data['events'] as { prevKv?: { value: string } }[];
      previous.push(event?.prevKv?.value);
    }
    assert.deepEqual(previous, [undefined, '1', '2']);
  });

  test('watch: filter: what is left out', async () => {
    await using deletions = await WatchClient.open(api.url, 'prefix=filter/&filter=put');
    await using puts = await WatchClient.open(api.url, 'prefix=filter/&filter=delete');
    await put('filter/a');
    await remove('filter/a');
    await put('filter/b');
    assert.equal(summary(await deletions.nextChange()), 'delete filter/a');
    assert.equal(summary(await puts.nextChange()), 'put filter/a');
    assert.equal(summary(await puts.nextChange()), 'put filter/b');
  });

  test('watch: progress, though nothing happens to the keys', async () => {
    await using watch = await WatchClient.open(api.url, 'prefix=quiet/&progress=100ms');
    for (let i = 0; i < 3; i++) assert.equal((await watch.next()).type, 'progress');
  });

  test('watch: from a revision that is compacted: told so, and ended', async () => {
    const first = await put('compacted/a');
    const second = await put('compacted/a');
    const compacted = await client.call('POST /v1/compact', { body: `{"revision":${second}}` });
    assert.equal(compacted.status, 200, compacted.text);
    await using watch = await WatchClient.open(api.url, `prefix=compacted/&revision=${first - 1}`);
    assert.equal(watch.status, 200);
    const { type, data } = await watch.nextChange();
    assert.deepEqual([type, data['code'], data['compactRevision']], ['compacted', 'compacted', second]);
    await watch.ended();
  });

  test('watch: a reader that is slow gets everything', async () => {
    const connection = await client.connect();
    const first = await put('slow/0');
    connection.socket.pause();
    connection.send(`GET /v1/watch?prefix=slow/&revision=${first} HTTP/1.1\r\nhost: x\r\n\r\n`);
    const value = 'v'.repeat(1024 * 1024);
    for (let i = 1; i <= 24; i++) await put(`slow/${i}`, value);
    connection.socket.resume();
    for (let i = 0; i <= 24; i++) await connection.until(`"key":"slow/${i}"`);
    connection.close();
  });
});
