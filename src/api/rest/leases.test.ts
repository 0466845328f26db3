import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { open } from '../../server/index.ts';
import type { Answer, HttpClient } from './testing/http-client.ts';
import { type RunningApi, startNode } from './testing/start-api.ts';
import { WatchClient } from './testing/watch-client.ts';

describe('leases', () => {
  let api: RunningApi;
  let client: HttpClient;

  before(async () => {
    api = await startNode(open);
    client = api.client;
  });

  after(() => api.stop());

  function send(body: object, headers: Record<string, string> = {}): Promise<Answer> {
    return client.call('POST /v1/leases', { body: JSON.stringify(body), headers });
  }

  async function grant(ttl: number): Promise<string> {
    const answer = await send({ ttl });
    assert.equal(answer.status, 201, answer.text);
    return String(answer.json()['id']);
  }

  function checkProblem(answer: Answer, expected: string): Record<string, unknown> {
    assert.equal(`${answer.status} ${answer.json()['code']}`, expected, answer.text);
    assert.equal(answer.headers['content-type'], 'application/problem+json; charset=utf-8');
    return answer.json();
  }

  test('lease: granted, with an id of 16 hexadecimal digits', async () => {
    const answer = await send({ ttl: 600 });
    assert.equal(answer.status, 201);
    const { id, ttl } = answer.json();
    assert.match(String(id), /^[0-9a-f]{16}$/);
    assert.equal(ttl, 600);
  });

  test('lease: with an id of the client; once', async () => {
    const body = { ttl: 600, id: '1A' };
    assert.deepEqual((await send(body)).json(), { id: '000000000000001a', ttl: 600 });
    checkProblem(await send(body), '409 lease_exists');
  });

  test('lease: granted again with the same Idempotency-Key: the same lease', async () => {
    const headers = { 'idempotency-key': 'grant-1' };
    const first = (await send({ ttl: 600 }, headers)).json();
    assert.deepEqual((await send({ ttl: 600 }, headers)).json(), first);
  });

  test('lease: what nobody can keep is refused by its name', async () => {
    for (const ttl of [0, -1, 1.5, 2 ** 40, '30', null]) {
      assert.equal(checkProblem(await send({ ttl }), '400 bad_request')['parameter'], 'ttl');
    }
  });

  test('lease: a key that is bound to it says so, until it is put without', async () => {
    const id = await grant(600);
    await client.call(`PUT /v1/kv/bound?lease=${id}`, { body: 'a' });
    assert.equal((await client.call('GET /v1/kv/bound')).headers['balsa-lease'], id);
    const headers = { accept: 'application/json' };
    assert.equal((await client.call('GET /v1/kv/bound', { headers })).json()['lease'], id);
    const [listed] = (await client.call('GET /v1/kv?prefix=bound')).json()['kvs'] as { lease: string }[];
    assert.equal(listed?.lease, id);
    const replaced = await client.call('PUT /v1/kv/bound?prevKv', { body: 'b' });
    assert.equal((replaced.json()['prevKv'] as Record<string, unknown>)['lease'], id);
    assert.equal((await client.call('GET /v1/kv/bound')).headers['balsa-lease'], undefined);
  });

  test('lease: time left, and its keys in byte order', async () => {
    const id = await grant(600);
    for (const key of ['keys/b', '%FF', 'keys/a']) await client.call(`PUT /v1/kv/${key}?lease=${id}`, { body: '' });
    const plain = (await client.call(`GET /v1/leases/${id}`)).json();
    assert.deepEqual(Object.keys(plain), ['id', 'ttl', 'grantedTtl']);
    assert.equal(plain['grantedTtl'], 600);
    assert.ok(Number(plain['ttl']) <= 600);
    const { keys } = (await client.call(`GET /v1/leases/${id}?keys=true`)).json();
    assert.deepEqual(keys, [{ key: 'keys/a' }, { key: 'keys/b' }, { keyBase64: '/w==' }]);
  });

  test('lease: kept alive', async () => {
    const id = await grant(600);
    assert.deepEqual((await client.call(`POST /v1/leases/${id}/keepalive`)).json(), { id, ttl: 600 });
  });

  test('lease: all of them', async () => {
    const id = await grant(600);
    const { leases, revision } = (await client.call('GET /v1/leases')).json();
    assert.ok((leases as { id: string }[]).some((lease) => lease.id === id));
    assert.equal(typeof revision, 'number');
  });

  test('lease: revoked: it and its keys are gone in one revision', async () => {
    const id = await grant(600);
    for (const key of ['revoke/a', 'revoke/b']) await client.call(`PUT /v1/kv/${key}?lease=${id}`, { body: '' });
    await using watch = await WatchClient.open(api.url, 'prefix=revoke/');
    const { deleted, revision } = (await client.call(`DELETE /v1/leases/${id}`)).json();
    assert.equal(deleted, 2);
    const { data } = await watch.nextChange();
    assert.equal(data['revision'], revision);
    assert.equal((data['events'] as unknown[]).length, 2);
    assert.equal((await client.call('GET /v1/kv/revoke/a')).status, 404);
  });

  test('lease: ends when nobody keeps it alive, and its keys with it', async () => {
    const id = await grant(1);
    await using watch = await WatchClient.open(api.url, 'prefix=expire/');
    await client.call(`PUT /v1/kv/expire/a?lease=${id}`, { body: '' });
    const types = [await watch.nextChange(), await watch.nextChange()].map(
      ({ data }) => (data['events'] as { type: string }[])[0]?.type,
    );
    assert.deepEqual(types, ['put', 'delete']);
    checkProblem(await client.call(`GET /v1/leases/${id}`), '404 lease_not_found');
  });

  test('lease: one that is not there', async () => {
    for (const target of [
      'GET /v1/leases/fff',
      'DELETE /v1/leases/fff',
      'POST /v1/leases/fff/keepalive',
      'PUT /v1/kv/unbound?lease=fff',
    ]) {
      checkProblem(await client.call(target), '404 lease_not_found');
    }
    assert.equal((await client.call('GET /v1/kv/unbound')).status, 404);
  });
});
