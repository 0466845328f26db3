import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { open } from '../../server/index.ts';
import type { Answer, HttpClient } from './testing/http-client.ts';
import { type RunningApi, startNode } from './testing/start-api.ts';

describe('one key', () => {
  let api: RunningApi;
  let client: HttpClient;

  before(async () => {
    api = await startNode(open);
    client = api.client;
  });

  after(() => api.stop());

  async function put(key: string, value: string | Uint8Array, headers: Record<string, string> = {}): Promise<Answer> {
    return client.call(`PUT /v1/kv/${key}`, { body: value, headers });
  }

  function checkProblem(answer: Answer, status: number, code: string): void {
    assert.equal(answer.status, status, answer.text);
    assert.equal(answer.headers['content-type'], 'application/problem+json; charset=utf-8');
    assert.equal(answer.json()['code'], code);
    assert.equal(answer.json()['status'], status);
    checkAnswerHeaders(answer);
  }

  function checkAnswerHeaders(answer: Answer): void {
    assert.match(String(answer.headers['balsa-revision']), /^[0-9]+$/);
    assert.match(String(answer.headers['balsa-raft-term']), /^[1-9][0-9]*$/);
    assert.match(String(answer.headers['balsa-member']), /^[0-9a-f]+$/);
  }

  test('put: 201 for a new key, 200 for one that was there, with its revisions and its ETag', async () => {
    const created = await put('put/new', 'a');
    assert.equal(created.status, 201);
    const first = created.json();
    assert.deepEqual(first, {
      key: 'put/new',
      revision: first['revision'],
      createRevision: first['revision'],
      version: 1,
    });
    assert.equal(created.headers.etag, `"${first['revision']}"`);
    assert.equal(created.headers['balsa-revision'], `${first['revision']}`);
    checkAnswerHeaders(created);

    const replaced = await put('put/new', 'b');
    assert.equal(replaced.status, 200);
    const second = replaced.json();
    assert.deepEqual(second, { ...first, revision: second['revision'], version: 2 });
    assert.ok(Number(second['revision']) > Number(first['revision']));
  });

  test('put: any content type, a malformed one, or none: a value is bytes', async () => {
    for (const type of ['application/json', 'application/x-www-form-urlencoded', 'text', ';;', '']) {
      await put('put/type', '{"half', { 'content-type': type });
      assert.equal((await client.call('GET /v1/kv/put/type')).text, '{"half');
    }
  });

  test('put: the empty value, with and without a declared length', async () => {
    assert.equal((await put('put/empty', '')).status, 201);
    assert.equal((await put('put/empty', '', { 'content-length': '0' })).status, 200);
    const got = await client.call('GET /v1/kv/put/empty');
    assert.equal(got.status, 200);
    assert.equal(got.headers['content-length'], '0');
  });

  test('put: every byte there is, in key and value', async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const key = [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
    const created = await put(key, bytes);
    assert.deepEqual(Buffer.from(String(created.json()['keyBase64']), 'base64'), bytes);
    assert.deepEqual((await client.call(`GET /v1/kv/${key}`)).bytes, bytes);
  });

  test('put: a body in chunks, without a declared length', async () => {
    const connection = await client.connect();
    connection.send('PUT /v1/kv/put/chunked HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n');
    connection.send('2\r\nde\r\n0\r\n\r\n');
    await connection.until('201 Created');
    connection.close();
    assert.equal((await client.call('GET /v1/kv/put/chunked')).text, 'abcde');
  });

  test('put: a client that asks before it sends (Expect: 100-continue) is told to go on', async () => {
    const connection = await client.connect();
    connection.send('PUT /v1/kv/put/expect HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n');
    await connection.until('100 Continue\r\n\r\n');
    connection.send('ok');
    await connection.until('201 Created');
    connection.close();
  });

  test('put: prevKv: what it replaced, if there was something', async () => {
    const first = await put('put/previous?prevKv', 'a');
    assert.equal(first.json()['prevKv'], undefined);
    const second = await put('put/previous?prevKv=true&encoding=base64', 'b');
    const { revision, createRevision } = first.json();
    const previous = { valueBase64: 'YQ==', createRevision, modRevision: revision, version: 1 };
    assert.deepEqual(second.json()['prevKv'], {
      keyBase64: Buffer.from('put/previous').toString('base64'),
      ...previous,
    });
  });

  test('key: slashes and dots are bytes like others: each of these is a key of its own', async () => {
    const keys = [
      'p/a/b',
      'p/a//b',
      'p/a/b/',
      '/p/a/b',
      'p/a/./b',
      'p/a/../b',
      'p/a%2F%2E%2Fb',
      'P/a/b',
      'p/a+b',
      'p/a%20b',
    ];
    for (const key of keys) await put(key, key);
    for (const key of keys) {
      // One of them is an encoded spelling of another.
      const expected = key === 'p/a/./b' ? 'p/a%2F%2E%2Fb' : key;
      assert.equal((await client.call(`GET /v1/kv/${key}`)).text, expected);
    }
  });

  test('get: the bytes, with what is known of them in headers', async () => {
    const { revision } = (await put('get/bytes', '<script>')).json();
    const got = await client.call('GET /v1/kv/get/bytes', { headers: { accept: '*/*' } });
    assert.equal(got.text, '<script>');
    assert.equal(got.headers['content-type'], 'application/octet-stream');
    assert.equal(got.headers['x-content-type-options'], 'nosniff');
    assert.equal(got.headers['cache-control'], 'no-cache');
    assert.equal(got.headers.etag, `"${revision}"`);
    assert.equal(got.headers['balsa-create-revision'], `${revision}`);
    assert.equal(got.headers['balsa-version'], '1');
    assert.equal(got.headers['balsa-staleness-ms'], undefined);
    assert.equal(got.headers['access-control-allow-origin'], undefined);
    checkAnswerHeaders(got);
  });

  test('get: as JSON for who asks for it, as base64 where it is no text or so asked', async () => {
    const { revision } = (await put('get/json', '"héllo"\n')).json();
    const headers = { accept: 'application/json' };
    const text = await client.call('GET /v1/kv/get/json', { headers });
    const revisions = { createRevision: revision, modRevision: revision, version: 1 };
    assert.deepEqual(text.json(), { key: 'get/json', value: '"héllo"\n', ...revisions });
    assert.equal(text.headers.etag, `"${revision}"`);
    assert.match(String(text.headers.vary), /accept/i);
    const forced = await client.call('GET /v1/kv/get/json?encoding=base64', { headers });
    assert.equal(forced.json()['valueBase64'], Buffer.from('"héllo"\n').toString('base64'));
    await put('get/json', Buffer.from([0xc3]));
    const bytes = await client.call('GET /v1/kv/get/json', { headers });
    assert.deepEqual([bytes.json()['value'], bytes.json()['valueBase64']], [undefined, 'ww==']);
  });

  test('get: HEAD is GET without the body', async () => {
    await put('get/head', 'four');
    const head = await client.call('HEAD /v1/kv/get/head');
    assert.equal(head.status, 200);
    assert.equal(head.headers['content-length'], '4');
    assert.match(String(head.headers.etag), /^"[0-9]+"$/);
    assert.equal(head.bytes.length, 0);
    assert.equal((await client.call('HEAD /v1/kv/get/none')).status, 404);
  });

  test('get: a key that is not there: 404, with the revision at which it was not', async () => {
    checkProblem(await client.call('GET /v1/kv/get/none'), 404, 'key_not_found');
  });

  test('get: stale and bounded reads say how old their state may be', async () => {
    await put('get/stale', 'x');
    for (const query of ['consistency=stale', 'consistency=bounded&maxStaleness=1h']) {
      const got = await client.call(`GET /v1/kv/get/stale?${query}`);
      assert.equal(got.text, 'x');
      assert.match(String(got.headers['balsa-staleness-ms']), /^[0-9]+$/);
    }
    const missing = await client.call('GET /v1/kv/get/none?consistency=stale');
    assert.match(String(missing.headers['balsa-staleness-ms']), /^[0-9]+$/);
  });

  test('get: If-None-Match: 304 without the value while it is the same', async () => {
    const { etag = '' } = (await put('get/cached', 'a')).headers;
    const same = await client.call('GET /v1/kv/get/cached', { headers: { 'if-none-match': etag } });
    assert.equal(same.status, 304);
    assert.equal(same.bytes.length, 0);
    assert.equal(same.headers.etag, etag);
    checkAnswerHeaders(same);
    await put('get/cached', 'b');
    const changed = await client.call('GET /v1/kv/get/cached', { headers: { 'if-none-match': etag } });
    assert.equal(changed.text, 'b');
  });

  test('get: If-Match: 412 if it is another one', async () => {
    const { etag = '' } = (await put('get/match', 'a')).headers;
    assert.equal((await client.call('GET /v1/kv/get/match', { headers: { 'if-match': etag } })).text, 'a');
    const other = await client.call('GET /v1/kv/get/match', { headers: { 'if-match': '"1"' } });
    checkProblem(other, 412, 'precondition_failed');
    assert.equal(other.headers.etag, etag);
  });

  test('condition: If-Match: compare-and-swap: of two writers that saw the same, one wins', async () => {
    const { etag = '' } = (await put('cas/race', 'start')).headers;
    const writers = ['a', 'b', 'c', 'd'];
    const answers = await Promise.all(writers.map((value) => put('cas/race', value, { 'if-match': etag })));
    const won = answers.filter(({ status }) => status === 200);
    assert.equal(won.length, 1);
    const present = await client.call('GET /v1/kv/cas/race');
    assert.equal(present.headers.etag, won[0]?.headers.etag);
    for (const lost of answers.filter(({ status }) => status !== 200)) {
      checkProblem(lost, 412, 'precondition_failed');
      assert.equal(lost.headers.etag, present.headers.etag);
    }
  });

  test('condition: If-Match: a list holds if one of it does', async () => {
    const { etag = '' } = (await put('cas/list', 'a')).headers;
    assert.equal((await put('cas/list', 'b', { 'if-match': `"1", ${etag}` })).status, 200);
    checkProblem(await put('cas/list', 'c', { 'if-match': `"1", ${etag}` }), 412, 'precondition_failed');
  });

  test('condition: If-Match: * needs a key that exists, If-None-Match: * one that does not', async () => {
    const missing = await put('cas/star', 'a', { 'if-match': '*' });
    checkProblem(missing, 412, 'precondition_failed');
    assert.equal(missing.headers.etag, undefined);
    assert.equal((await put('cas/star', 'a', { 'if-none-match': '*' })).status, 201);
    const present = await put('cas/star', 'b', { 'if-none-match': '*' });
    checkProblem(present, 412, 'precondition_failed');
    assert.match(String(present.headers.etag), /^"[0-9]+"$/);
    assert.equal((await put('cas/star', 'b', { 'if-match': '*' })).status, 200);
  });

  test('condition: on DELETE as on PUT', async () => {
    const { etag = '' } = (await put('cas/delete', 'a')).headers;
    const target = 'DELETE /v1/kv/cas/delete';
    checkProblem(await client.call(target, { headers: { 'if-match': '"1"' } }), 412, 'precondition_failed');
    checkProblem(await client.call(target, { headers: { 'if-none-match': '*' } }), 412, 'precondition_failed');
    assert.equal((await client.call(target, { headers: { 'if-match': etag } })).status, 200);
    checkProblem(await client.call(target, { headers: { 'if-match': etag } }), 412, 'precondition_failed');
  });

  test('delete: 200 with the revision, and prevKv; 404 when it is gone', async () => {
    await put('delete/key', 'a');
    const deleted = await client.call('DELETE /v1/kv/delete/key?prevKv=true');
    assert.equal(deleted.status, 200);
    const { revision, prevKv } = deleted.json();
    assert.deepEqual(Object.keys(deleted.json()), ['deleted', 'revision', 'prevKv']);
    assert.equal(deleted.headers['balsa-revision'], `${revision}`);
    assert.equal((prevKv as { value: string }).value, 'a');
    checkProblem(await client.call('DELETE /v1/kv/delete/key'), 404, 'key_not_found');
  });
});
