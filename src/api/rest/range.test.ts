import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { open } from '../../server/index.ts';
import type { Answer, HttpClient } from './testing/http-client.ts';
import { type RunningApi, startNode } from './testing/start-api.ts';

interface Page {
  readonly revision: number;
  readonly kvs: readonly Record<string, unknown>[];
  readonly count: number;
  readonly more: boolean;
  readonly next?: string;
}

describe('many keys', () => {
  let api: RunningApi;
  let client: HttpClient;

  before(async () => {
    api = await startNode(open);
    client = api.client;
    for (const key of ['a/1', 'a/2', 'a/3', 'a/4', 'a/5', 'b/1']) {
      await client.call(`PUT /v1/kv/${key}`, { body: `value of ${key}` });
    }
    await client.call('PUT /v1/kv/a/2', { body: 'again' });
  });

  after(() => api.stop());

  async function list(query: string): Promise<Page> {
    const answer = await client.call(`GET /v1/kv?${query}`);
    assert.equal(answer.status, 200, answer.text);
    return answer.json() as unknown as Page;
  }

  async function stream(query: string): Promise<Answer> {
    return client.call(`GET /v1/kv?${query}`, { headers: { accept: 'application/x-ndjson' } });
  }

  async function checkKeys(query: string, expected: readonly string[]): Promise<void> {
    assert.deepEqual(
      (await list(query)).kvs.map((kv) => kv['key']),
      expected,
    );
  }

  function checkRefused(answer: Answer, parameter: string): void {
    assert.equal(answer.status, 400, answer.text);
    assert.equal(answer.json()['code'], 'bad_request');
    assert.equal(answer.json()['parameter'], parameter);
  }

  test('list: prefix: its keys in order, whole, at one revision', async () => {
    const page = await list('prefix=a/');
    assert.deepEqual(Object.keys(page), ['revision', 'kvs', 'count', 'more']);
    assert.deepEqual([page.count, page.more], [5, false]);
    assert.deepEqual(page.kvs[0], { key: 'a/1', value: 'value of a/1', createRevision: 2, modRevision: 2, version: 1 });
    assert.deepEqual(page.kvs[1], { key: 'a/2', value: 'again', createRevision: 3, modRevision: 8, version: 2 });
    await checkKeys('prefix=a/', ['a/1', 'a/2', 'a/3', 'a/4', 'a/5']);
    await checkKeys('prefix=c', []);
  });

  test('list: start and end; each alone; none: everything', async () => {
    await checkKeys('start=a/2&end=a/4', ['a/2', 'a/3']);
    await checkKeys('start=a/5', ['a/5', 'b/1']);
    await checkKeys('end=a/2', ['a/1']);
    await checkKeys('start=b&end=a', []);
    await checkKeys('', ['a/1', 'a/2', 'a/3', 'a/4', 'a/5', 'b/1']);
    await checkKeys('prefix=', ['a/1', 'a/2', 'a/3', 'a/4', 'a/5', 'b/1']);
  });

  test('list: keysOnly leaves the values out; countOnly everything', async () => {
    const keys = await list('prefix=b/&keysOnly=true');
    assert.deepEqual(keys.kvs, [{ key: 'b/1', createRevision: 7, modRevision: 7, version: 1 }]);
    const { kvs, count, more } = await list('prefix=a/&countOnly=true&limit=2');
    assert.deepEqual({ kvs, count, more }, { kvs: [], count: 5, more: false });
  });

  test('list: encoding=base64', async () => {
    const { kvs } = await list('prefix=b/&encoding=base64');
    assert.deepEqual([kvs[0]?.['keyBase64'], kvs[0]?.['valueBase64']], ['Yi8x', 'dmFsdWUgb2YgYi8x']);
  });

  test('list: sort and order', async () => {
    await checkKeys('prefix=a/&order=desc', ['a/5', 'a/4', 'a/3', 'a/2', 'a/1']);
    await checkKeys('prefix=a/&sort=modRevision', ['a/1', 'a/3', 'a/4', 'a/5', 'a/2']);
    await checkKeys('prefix=a/&sort=createRevision&order=desc', ['a/5', 'a/4', 'a/3', 'a/2', 'a/1']);
    await checkKeys('prefix=a/&sort=version&order=desc&limit=1', ['a/2']);
  });

  test('list: pages: all keys once, at the revision of the first page, whatever happens in between', async () => {
    const first = await list('prefix=a/&limit=2');
    assert.deepEqual([first.count, first.more, first.kvs.length], [5, true, 2]);
    await client.call('PUT /v1/kv/a/35', { body: 'late' });
    const second = await list(`prefix=a/&limit=2&after=${first.next}`);
    await client.call('DELETE /v1/kv/a/35');
    const third = await list(`after=${second.next}`);
    const keys = [first, second, third].flatMap(({ kvs }) => kvs.map((kv) => kv['key']));
    assert.deepEqual(keys, ['a/1', 'a/2', 'a/3', 'a/4', 'a/5']);
    assert.deepEqual([second.revision, third.revision], [first.revision, first.revision]);
    assert.deepEqual([third.more, third.next], [false, undefined]);
  });

  test('list: pages: written as the first one was, though `after` stands alone', async () => {
    const first = await list('prefix=a/&limit=3&keysOnly&encoding=base64&order=desc');
    const second = await list(`after=${first.next}`);
    assert.deepEqual(
      second.kvs.map((kv) => Object.keys(kv)[0]),
      ['keyBase64', 'keyBase64'],
    );
    assert.deepEqual(
      second.kvs.map((kv) => kv['value'] ?? kv['valueBase64']),
      [undefined, undefined],
    );
  });

  test('list: pages: `next` needs no encoding in a URL', async () => {
    const { next = '' } = await list('limit=1');
    assert.equal(encodeURIComponent(next), next);
  });

  test('list: pages: `after` of another list, or of none, is refused', async () => {
    const { next = '' } = await list('prefix=a/&limit=2');
    checkRefused(await client.call(`GET /v1/kv?prefix=b/&after=${next}`), 'after');
    checkRefused(await client.call('GET /v1/kv?after=page2'), 'after');
    checkRefused(await client.call('GET /v1/kv?after='), 'after');
    checkRefused(await client.call(`GET /v1/kv?after=${next.slice(0, 12)}%00%FF`), 'after');
  });

  test('list: contradictions are refused', async () => {
    checkRefused(await client.call('GET /v1/kv?prefix=a&start=b'), 'prefix');
    checkRefused(await client.call('GET /v1/kv?start=a&end='), 'end');
    checkRefused(await client.call('GET /v1/kv?sort=size'), 'sort');
    checkRefused(await client.call('GET /v1/kv?order=up'), 'order');
    checkRefused(await client.call('GET /v1/kv?encoding=hex'), 'encoding');
  });

  test('list: a stale one says how old it may be', async () => {
    const answer = await client.call('GET /v1/kv?prefix=a/&consistency=stale');
    assert.match(String(answer.headers['balsa-staleness-ms']), /^[0-9]+$/);
  });

  test('stream: the whole range, an object a line', async () => {
    const answer = await stream('prefix=a/');
    assert.equal(answer.headers['content-type'], 'application/x-ndjson');
    assert.match(String(answer.headers['balsa-revision']), /^[0-9]+$/);
    const kvs = answer.text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    assert.deepEqual(kvs, (await list('prefix=a/')).kvs);
    assert.equal((await stream('prefix=c')).text, '');
  });

  test('stream: takes keysOnly and encoding, and refuses what belongs to pages', async () => {
    const line = (await stream('prefix=b/&keysOnly&encoding=base64')).text;
    assert.deepEqual(JSON.parse(line), { keyBase64: 'Yi8x', createRevision: 7, modRevision: 7, version: 1 });
    for (const parameter of ['limit=2', 'order=desc', 'sort=key', 'countOnly', 'after=x']) {
      checkRefused(await stream(parameter), parameter.split('=')[0] ?? '');
    }
  });

  test('delete: without a range, or with an empty one, nothing is deleted', async () => {
    for (const [query, parameter] of [
      ['', 'prefix'],
      ['?prefix=', 'prefix'],
      ['?start=', 'start'],
      ['?end=b', 'prefix'],
      ['?prefx=a/', 'prefx'],
    ] as const) {
      checkRefused(await client.call(`DELETE /v1/kv${query}`), parameter);
    }
    assert.equal((await list('countOnly')).count, 6);
  });

  test('delete: a range whose keys are long', async () => {
    for (const length of [489, 490, 491, 1000, 8000]) {
      const start = `z${'z'.repeat(length - 1)}`;
      await client.call(`PUT /v1/kv/${start}`, { body: 'x' });
      assert.equal((await client.call(`DELETE /v1/kv?prefix=${start}`)).json()['deleted'], 1, `${length} bytes`);
    }
  });

  test('delete: a range, in one revision; none of it left counts as 0', async () => {
    await client.call('PUT /v1/kv/gone/1', { body: 'x' });
    const { revision } = (await client.call('PUT /v1/kv/gone/2', { body: 'x' })).json();
    const deleted = await client.call('DELETE /v1/kv?prefix=gone/');
    assert.deepEqual(deleted.json(), { deleted: 2, revision: Number(revision) + 1 });
    const again = await client.call('DELETE /v1/kv?start=gone/&end=gone0');
    assert.deepEqual(again.json(), { deleted: 0, revision: Number(revision) + 1 });
  });

  test('list: a page that comes again is the same, in each of its forms, until a key in it changes', async () => {
    const forms = ['', '&encoding=base64', '&keysOnly'].map((form) => `prefix=again/${form}`);
    const put = (key: string, body: string) => client.call(`PUT /v1/kv/again/${key}`, { body });
    for (let i = 10; i < 60; i++) await put(`${i}`, 'first');
    for (const value of ['second', 'third']) {
      const before = await Promise.all(forms.map(list));
      for (let time = 0; time < 3; time++) assert.deepEqual(await Promise.all(forms.map(list)), before);
      await put('30', value);
      const [texts, base64, keys] = await Promise.all(forms.map(list));
      assert.equal(texts?.kvs[20]?.['value'], value);
      assert.equal(base64?.kvs[20]?.['valueBase64'], Buffer.from(value).toString('base64'));
      assert.equal(keys?.kvs[20]?.['modRevision'], texts?.kvs[20]?.['modRevision']);
      assert.equal(keys?.kvs.length, 50);
    }
  });
});
