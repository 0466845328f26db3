// biome-ignore-all lint/suspicious/noThenProperty: a word of the API; nobody awaits these objects
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { open } from '../../server/index.ts';
import type { Answer, HttpClient } from './testing/http-client.ts';
import { type RunningApi, startNode } from './testing/start-api.ts';

interface WrittenKeyValue {
  readonly key: string;
  readonly keyBase64: string;
  readonly value: string;
  readonly valueBase64: string;
}

interface Result {
  readonly put?: { readonly version: number; readonly prevKv?: WrittenKeyValue };
  readonly get?: { readonly kvs: readonly WrittenKeyValue[]; readonly count: number; readonly more: boolean };
  readonly delete?: { readonly deleted: number; readonly prevKvs?: readonly WrittenKeyValue[] };
}

interface Outcome {
  readonly succeeded: boolean;
  readonly revision: number;
  readonly results: readonly Result[];
}

describe('transactions', () => {
  let api: RunningApi;
  let client: HttpClient;

  before(async () => {
    api = await startNode(open);
    client = api.client;
  });

  after(() => api.stop());

  function send(body: object, headers: Record<string, string> = {}): Promise<Answer> {
    return client.call('POST /v1/txn', { body: JSON.stringify(body), headers });
  }

  async function txn(body: object, headers: Record<string, string> = {}): Promise<Outcome> {
    const answer = await send(body, headers);
    assert.equal(answer.status, 200, answer.text);
    return answer.json() as unknown as Outcome;
  }

  async function checkRefused(body: object, expected: string): Promise<Answer> {
    const answer = await send(body);
    assert.equal(`${answer.status} ${answer.json()['code']}`, expected, answer.text);
    assert.equal(answer.headers['content-type'], 'application/problem+json; charset=utf-8');
    return answer;
  }

  async function storedAt(key: string): Promise<string | undefined> {
    const answer = await client.call(`GET /v1/kv/${key}`);
    return answer.status === 404 ? undefined : answer.text;
  }

  const put = (key: string, value: string) => ({ put: { key, value } });

  test('txn: everything in one revision, which the answer and its header name', async () => {
    const answer = await send({ then: [put('one/a', '1'), put('one/b', '2')] });
    const { succeeded, revision, results } = answer.json() as unknown as Outcome;
    assert.equal(succeeded, true);
    assert.equal(answer.headers['balsa-revision'], `${revision}`);
    const created = { put: { created: true, createRevision: revision, version: 1 } };
    assert.deepEqual(results, [created, created]);
    for (const key of ['one/a', 'one/b']) {
      assert.equal((await client.call(`GET /v1/kv/${key}`)).headers.etag, `"${revision}"`);
    }
  });

  test('txn: nothing changed: no new revision', async () => {
    const { revision } = await txn({ then: [put('same/a', '1')] });
    const reads = await txn({ then: [{ get: { key: 'same/a' } }, { delete: { key: 'same/none' } }] });
    assert.equal(reads.revision, revision);
  });

  test('txn: compare and swap: the second of two that read the same loses', async () => {
    const { revision } = await txn({ then: [put('swap', 'mine')] });
    const swap = (value: string) =>
      txn({
        if: [{ key: 'swap', modRevision: { '=': revision } }],
        then: [put('swap', value)],
        else: [{ get: { key: 'swap' } }],
      });
    assert.equal((await swap('yours')).succeeded, true);
    const lost = await swap('theirs');
    assert.equal(lost.succeeded, false);
    assert.equal(lost.results[0]?.get?.kvs[0]?.value, 'yours');
  });

  test('txn: every target of a comparison', async () => {
    const { revision } = await txn({ then: [put('cmp/a', 'm')] });
    for (const [item, expected] of [
      [{ key: 'cmp/a', exists: true }, true],
      [{ key: 'cmp/none', exists: true }, false],
      [{ key: 'cmp/none', exists: false }, true],
      [{ key: 'cmp/a', exists: false }, false],
      [{ key: 'cmp/a', value: { '=': 'm' } }, true],
      [{ key: 'cmp/a', value: { '<': 'n', '>': 'l' } }, true],
      [{ key: 'cmp/a', valueBase64: { '!=': '/w==' } }, true],
      [{ key: 'cmp/none', value: { '=': '' } }, false],
      [{ key: 'cmp/a', version: { '=': 1 } }, true],
      [{ key: 'cmp/a', version: { '>': 1 } }, false],
      [{ key: 'cmp/a', createRevision: { '=': revision }, modRevision: { '<': revision } }, false],
      [{ key: 'cmp/a', lease: { '=': '0' } }, true],
      [{ prefix: 'cmp/', version: { '=': 1 } }, true],
      [{ prefix: 'cmp/none/', exists: false }, true],
    ] as const) {
      assert.equal((await txn({ if: [item] })).succeeded, expected, JSON.stringify(item));
    }
  });

  test('txn: each operation sees what those before it have done', async () => {
    await txn({ then: [put('order/old', '1')] });
    const { results } = await txn({
      then: [
        put('order/new', '2'),
        { get: { prefix: 'order/', keysOnly: true } },
        { delete: { key: 'order/old', prevKv: true } },
        { get: { prefix: 'order/', countOnly: true } },
      ],
    });
    const [, listed, removed, counted] = results;
    assert.equal(listed?.get?.count, 2);
    assert.equal(removed?.delete?.deleted, 1);
    assert.equal(removed?.delete?.prevKvs?.[0]?.value, '1');
    assert.deepEqual(counted, { get: { kvs: [], count: 1, more: false } });
  });

  test('txn: get: of the past, sorted, cut', async () => {
    const { revision } = await txn({ then: [put('get/a', '2'), put('get/b', '1'), put('get/c', '3')] });
    await txn({ then: [put('get/b', '9')] });
    const { results } = await txn({ then: [{ get: { prefix: 'get/', revision, sort: 'value', limit: 2 } }] });
    const got = results[0]?.get;
    assert.deepEqual(
      got?.kvs.map(({ key }) => key),
      ['get/b', 'get/a'],
    );
    assert.deepEqual([got?.count, got?.more], [3, true]);
  });

  test('txn: put: prevKv, ignoreValue, bytes', async () => {
    await txn({ then: [{ put: { keyBase64: '/w==', valueBase64: '/g==' } }] });
    const { results } = await txn({ then: [{ put: { keyBase64: '/w==', ignoreValue: true, prevKv: true } }] });
    const again = results[0]?.put;
    assert.deepEqual([again?.prevKv?.keyBase64, again?.prevKv?.valueBase64, again?.version], ['/w==', '/g==', 2]);
    assert.deepEqual((await client.call('GET /v1/kv/%FF')).bytes, Buffer.of(0xfe));
    await checkRefused({ then: [{ put: { key: 'none', ignoreValue: true } }] }, '404 key_not_found');
  });

  test('txn: one in another: its own branch, the same revision', async () => {
    const inner = { if: [{ key: 'nest/none', exists: true }], then: [], else: [put('nest/b', '2')] };
    const { revision, results } = await txn({ then: [put('nest/a', '1'), { txn: inner }] });
    const created = { put: { created: true, createRevision: revision, version: 1 } };
    assert.deepEqual(results, [created, { txn: { succeeded: false, results: [created] } }]);
  });

  test('txn: all or nothing: one operation that cannot be done, and none is', async () => {
    await checkRefused(
      { then: [put('whole/a', '1'), { put: { key: 'whole/b', value: '2', lease: '1' } }] },
      '404 lease_not_found',
    );
    assert.equal(await storedAt('whole/a'), undefined);
  });

  test('txn: 128 operations are done, 129 are not', async () => {
    const puts = Array.from({ length: 129 }, (_, i) => put(`many/${i}`, ''));
    const refused = await checkRefused({ then: puts }, '400 bad_request');
    assert.equal(refused.json()['parameter'], 'then');
    const { results } = await txn({ then: puts.slice(1) });
    assert.equal(results.length, 128);
    assert.equal(await storedAt('many/0'), undefined);
  });

  test('txn: what is nested may only use what is left of the 128', async () => {
    const puts = Array.from({ length: 127 }, (_, i) => put(`left/${i}`, ''));
    const inner = { then: [put('left/x', ''), put('left/y', '')] };
    await checkRefused({ then: [...puts, { txn: inner }] }, '400 bad_request');
    assert.equal(await storedAt('left/0'), undefined);
  });

  test('txn: the same key written twice', async () => {
    await checkRefused({ then: [put('twice', '1'), put('twice', '2')] }, '400 bad_request');
    await checkRefused({ then: [put('twice', '1'), { delete: { prefix: 'twi' } }] }, '400 bad_request');
    assert.equal(await storedAt('twice'), undefined);
  });

  test('txn: a key and a value that are too large', async () => {
    await checkRefused({ then: [put('k'.repeat(8193), '')] }, '413 too_large');
    const value = 'v'.repeat(1.5 * 1024 * 1024 + 1);
    await checkRefused({ then: [put('large', value)] }, '413 too_large');
    await txn({ then: [put('large', value.slice(1))] });
  });

  test('txn: a revision that is still to come', async () => {
    await checkRefused({ then: [{ get: { key: 'a', revision: 1_000_000 } }] }, '422 future_revision');
  });

  test('txn: sent again with its Idempotency-Key: done once, answered twice', async () => {
    const headers = { 'idempotency-key': 'f47ac10b' };
    const body = { if: [{ key: 'again', exists: false }], then: [put('again', '1')] };
    const first = await txn(body, headers);
    assert.equal(first.succeeded, true);
    assert.deepEqual(await txn(body, headers), first);
    const another = await send({ then: [put('again', '2')] }, headers);
    assert.deepEqual([another.status, another.json()['code']], [400, 'bad_request']);
  });
});
