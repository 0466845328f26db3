import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { open } from '../../server/index.ts';
import type { Answer, HttpClient } from './testing/http-client.ts';
import { type RunningApi, startNode } from './testing/start-api.ts';

describe('history', () => {
  let api: RunningApi;
  let client: HttpClient;
  /** The revision at which `a` has its first value, and there is nothing else. */
  let first: number;

  before(async () => {
    api = await startNode(open);
    client = api.client;
    first = Number((await client.call('PUT /v1/kv/h/a', { body: '1' })).json()['revision']);
    await client.call('PUT /v1/kv/h/b', { body: '2' });
    await client.call('PUT /v1/kv/h/a', { body: '9' });
    await client.call('DELETE /v1/kv/h/b');
    await client.call('PUT /v1/kv/h/c', { body: '5' });
  });

  after(() => api.stop());

  function checkProblem(answer: Answer, expected: string): Record<string, unknown> {
    assert.equal(`${answer.status} ${answer.json()['code']}`, expected, answer.text);
    assert.equal(answer.headers['content-type'], 'application/problem+json; charset=utf-8');
    return answer.json();
  }

  async function keys(query: string): Promise<string[]> {
    const answer = await client.call(`GET /v1/kv?prefix=h/&${query}`);
    assert.equal(answer.status, 200, answer.text);
    return (answer.json()['kvs'] as { key: string }[]).map(({ key }) => key);
  }

  test('history: a key as it was', async () => {
    const old = await client.call(`GET /v1/kv/h/a?revision=${first}`);
    assert.deepEqual([old.text, old.headers.etag, old.headers['balsa-version']], ['1', `"${first}"`, '1']);
    assert.equal((await client.call(`GET /v1/kv/h/b?revision=${first + 1}`)).text, '2');
    checkProblem(await client.call(`GET /v1/kv/h/b?revision=${first}`), '404 key_not_found');
    checkProblem(await client.call(`GET /v1/kv/h/b?revision=${first + 3}`), '404 key_not_found');
  });

  test('history: a list as it was, and it says of when it is', async () => {
    assert.deepEqual(await keys(`revision=${first}`), ['h/a']);
    assert.deepEqual(await keys(`revision=${first + 2}`), ['h/a', 'h/b']);
    assert.deepEqual(await keys(''), ['h/a', 'h/c']);
    const answer = await client.call(`GET /v1/kv?revision=${first + 1}`);
    assert.equal(answer.json()['revision'], first + 1);
    assert.ok(Number(answer.headers['balsa-revision']) > first + 1);
  });

  test('history: pages of the past', async () => {
    const query = `prefix=h/&revision=${first + 2}&limit=1`;
    const page = (await client.call(`GET /v1/kv?${query}`)).json();
    const next = (await client.call(`GET /v1/kv?${query}&after=${page['next']}`)).json();
    assert.deepEqual((next['kvs'] as { key: string }[])[0]?.key, 'h/b');
    assert.equal(next['revision'], first + 2);
    const another = await client.call(`GET /v1/kv?prefix=h/&revision=${first}&after=${page['next']}`);
    assert.equal(checkProblem(another, '400 bad_request')['parameter'], 'after');
  });

  test('history: a stream of the past', async () => {
    const headers = { accept: 'application/x-ndjson' };
    const answer = await client.call(`GET /v1/kv?prefix=h/&revision=${first + 2}`, { headers });
    const values = answer.text
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { value: string }).value);
    assert.deepEqual(values, ['9', '2']);
  });

  test('history: sorted by value; cut by revisions', async () => {
    assert.deepEqual(await keys('sort=value'), ['h/c', 'h/a']);
    assert.deepEqual(await keys('sort=value&order=desc'), ['h/a', 'h/c']);
    assert.deepEqual(await keys(`maxCreateRevision=${first}`), ['h/a']);
    assert.deepEqual(await keys(`minCreateRevision=${first + 1}`), ['h/c']);
    assert.deepEqual(await keys(`minModRevision=${first + 4}`), ['h/c']);
    assert.deepEqual(await keys(`maxModRevision=${first + 2}`), ['h/a']);
    const { count } = (await client.call(`GET /v1/kv?prefix=h/&maxModRevision=${first}`)).json();
    assert.equal(count, 2, 'what is left out is counted, too');
  });

  test('history: a revision that is still to come', async () => {
    checkProblem(await client.call('GET /v1/kv/h/a?revision=1000000'), '422 future_revision');
    checkProblem(await client.call('GET /v1/kv?revision=1000000'), '422 future_revision');
    checkProblem(await client.call('POST /v1/compact', { body: '{"revision":1000000}' }), '422 future_revision');
  });

  test('history: beyond 2^53', async () => {
    for (const revision of ['9007199254740992', '18446744073709551616', '0', '-1']) {
      const problem = checkProblem(await client.call(`GET /v1/kv/h/a?revision=${revision}`), '400 bad_request');
      assert.equal(problem['parameter'], 'revision');
      const body = `{"revision":${revision}}`;
      checkProblem(await client.call('POST /v1/compact', { body }), '400 bad_request');
    }
  });

  // The last one: it takes away what those above read.
  test('history: compacted: what was before is gone, what was then is not', async () => {
    const page = (await client.call(`GET /v1/kv?prefix=h/&revision=${first + 1}&limit=1`)).json();
    const compacted = await client.call('POST /v1/compact', { body: `{"revision":${first + 2}}` });
    assert.equal(compacted.status, 200, compacted.text);
    for (const target of [
      `GET /v1/kv/h/a?revision=${first + 1}`,
      `GET /v1/kv?revision=${first + 1}`,
      `GET /v1/kv?after=${page['next']}`,
    ]) {
      assert.equal(checkProblem(await client.call(target), '410 compacted')['compactRevision'], first + 2);
    }
    assert.deepEqual(await keys(`revision=${first + 2}`), ['h/a', 'h/b']);
    const again = await client.call('POST /v1/compact', { body: `{"revision":${first + 2}}` });
    checkProblem(again, '410 compacted');
    assert.equal((await client.call('GET /v1/kv/h/a')).text, '9');
    assert.deepEqual((await client.call('GET /v1/alarms')).json(), { alarms: [] });
  });
});
