// biome-ignore-all lint/suspicious/noThenProperty: a word of the API; nobody awaits these objects
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { open } from '../../server/index.ts';
import type { Answer, CallOptions, HttpClient } from './testing/http-client.ts';
import { OpenapiDocument } from './testing/openapi-document.ts';
import { type RunningApi, startNode } from './testing/start-api.ts';

describe('openapi', () => {
  let api: RunningApi;
  let client: HttpClient;
  let document: OpenapiDocument;

  before(async () => {
    api = await startNode(open);
    client = api.client;
    document = await OpenapiDocument.of(client);
  });

  after(() => api.stop());

  function checkDocumented(target: string, path: string, options?: CallOptions): Promise<Answer> {
    return document.checkAnswer(target, path, options);
  }

  test('openapi: 3.1, with a name and a summary for each operation', () => {
    assert.equal(document.content.openapi, '3.1.0');
    const names = document.operations().map(({ operation }) => operation.operationId);
    assert.equal(new Set(names).size, names.length);
    for (const { name, operation } of document.operations()) {
      assert.ok(operation.summary.length > 0, name);
      for (const parameter of operation.parameters ?? []) assert.ok(parameter.description.length > 0, parameter.name);
      for (const [status, response] of Object.entries(operation.responses)) {
        assert.notEqual(response.description, 'Default Response', `${name} ${status}`);
        assert.ok('Balsa-Revision' in response.headers, `${name} ${status}`);
      }
    }
  });

  test('openapi: all that rest-api promises is there', () => {
    assert.deepEqual(Object.keys(document.content.paths).sort(), [
      '/',
      '/health',
      '/livez',
      '/metrics',
      '/openapi.json',
      '/readyz',
      '/v1/alarms',
      '/v1/cluster',
      '/v1/cluster/leader',
      '/v1/cluster/members',
      '/v1/cluster/members/{id}',
      '/v1/cluster/members/{id}/promote',
      '/v1/compact',
      '/v1/kv',
      '/v1/kv/{key}',
      '/v1/leases',
      '/v1/leases/{id}',
      '/v1/leases/{id}/keepalive',
      '/v1/snapshot',
      '/v1/status',
      '/v1/txn',
      '/v1/version',
      '/v1/watch',
      '/version',
    ]);
  });

  test('openapi: the methods of each path are those that the server has', async () => {
    for (const [path, methods] of Object.entries(document.content.paths)) {
      const answer = await client.call(`TRACE ${pathOf(path)}`);
      assert.equal(answer.status, 405, path);
      assert.deepEqual(
        String(answer.headers.allow).split(', '),
        Object.keys(methods)
          .map((method) => method.toUpperCase())
          .sort(),
        path,
      );
    }
  });

  test('openapi: examples are valid by their schemas', async () => {
    for (const { name, operation } of document.operations()) {
      for (const { content = {} } of Object.values(operation.responses)) {
        for (const { schema, example } of Object.values(content)) {
          if (example !== undefined) await document.checkSchema(schema, example, name);
        }
      }
    }
  });

  test('openapi: real answers are as documented', async () => {
    const json = { headers: { accept: 'application/json' } };
    const key = '/v1/kv/{key}';
    await checkDocumented('PUT /v1/kv/k', key, { body: 'a' });
    const { etag = '' } = (await checkDocumented('PUT /v1/kv/k?prevKv', key, { body: 'b' })).headers;
    await checkDocumented('PUT /v1/kv/%FF?prevKv', key, { body: Buffer.from([0xff]) });
    await checkDocumented('PUT /v1/kv/k', key, { body: 'c', headers: { 'if-match': '"1"' } });
    await checkDocumented('PUT /v1/kv/k?x', key, { body: 'c' });
    await checkDocumented(`PUT /v1/kv/${'k'.repeat(9000)}`, key, { body: 'c' });
    await checkDocumented('GET /v1/kv/k', key);
    await checkDocumented('HEAD /v1/kv/k', key);
    await checkDocumented('GET /v1/kv/k?consistency=stale', key, json);
    await checkDocumented('GET /v1/kv/%FF', key, json);
    await checkDocumented('GET /v1/kv/k', key, { headers: { 'if-none-match': etag } });
    await checkDocumented('GET /v1/kv/k', key, { headers: { 'if-match': '"1"' } });
    await checkDocumented('GET /v1/kv/none', key);
    await checkDocumented('GET /v1/kv?limit=1', '/v1/kv');
    await checkDocumented('GET /v1/kv?keysOnly&encoding=base64&consistency=stale', '/v1/kv');
    await checkDocumented('GET /v1/kv', '/v1/kv', { headers: { accept: 'application/x-ndjson' } });
    await checkDocumented('GET /v1/kv?limit=0', '/v1/kv');
    await checkDocumented('DELETE /v1/kv/k?prevKv', key);
    await checkDocumented('DELETE /v1/kv/k', key);
    await checkDocumented('DELETE /v1/kv?start=%00', '/v1/kv');
    await checkDocumented('DELETE /v1/kv', '/v1/kv');
    for (const [path, methods] of Object.entries(document.content.paths)) {
      if (methods['get'] === undefined) continue;
      if (path !== key) await checkDocumented(`GET ${pathOf(path)}`, path);
      await checkDocumented(`GET ${pathOf(path)}?x`, path);
    }
  });

  test('openapi: real answers are as documented: transactions', async () => {
    const txn = (body: object | string, query = '') =>
      checkDocumented(`POST /v1/txn${query}`, '/v1/txn', {
        body: typeof body === 'string' ? body : JSON.stringify(body),
      });
    const nested = {
      if: [{ key: 'txn/none', exists: true }],
      then: [],
      else: [{ delete: { prefix: 'txn/', prevKv: true } }],
    };
    await txn({ then: [{ put: { key: 'txn/a', value: 'b' } }, { put: { keyBase64: '/w==', value: '' } }] });
    await txn(
      { then: [{ put: { key: 'txn/a', value: 'c', prevKv: true } }, { get: { prefix: '' } }] },
      '?encoding=base64',
    );
    await txn({ then: [{ txn: nested }, { delete: { key: 'txn/none' } }] });
    await txn({ then: [{ get: { key: 'a', revision: 1_000_000 } }] });
    await txn({ then: [{ put: { key: 'txn/a', value: 'b', lease: '1' } }] });
    await txn({ then: [{ put: { key: 'txn/a', ignoreValue: true } }] });
    await txn('no JSON');
    await txn(' '.repeat(5_000_000));
  });

  test('openapi: real answers are as documented: leases, the past, watches', async () => {
    const [all, one, renewal] = ['/v1/leases', '/v1/leases/{id}', '/v1/leases/{id}/keepalive'];
    const grant = (body: object) => checkDocumented(`POST ${all}`, all, { body: JSON.stringify(body) });
    const { id } = (await grant({ ttl: 600 })).json();
    await grant({ ttl: 600, id });
    await grant({ ttl: 0 });
    await checkDocumented(`PUT /v1/kv/leased?lease=${id}`, '/v1/kv/{key}', { body: 'a' });
    await checkDocumented('PUT /v1/kv/leased?lease=1', '/v1/kv/{key}', { body: 'a' });
    await checkDocumented('GET /v1/kv/leased', '/v1/kv/{key}', { headers: { accept: 'application/json' } });
    await checkDocumented('HEAD /v1/kv/leased', '/v1/kv/{key}');
    await checkDocumented(`POST ${all}/${id}/keepalive`, renewal);
    await checkDocumented(`GET ${all}/${id}?keys`, one);
    await checkDocumented(`GET ${all}?consistency=stale`, all);
    await checkDocumented(`DELETE ${all}/${id}`, one);
    await checkDocumented(`DELETE ${all}/${id}`, one);
    await checkDocumented(`POST ${all}/${id}/keepalive`, renewal);
    await checkDocumented('HEAD /v1/watch?prefix=', '/v1/watch');
    await checkDocumented('GET /v1/watch', '/v1/watch');
    const compact = (body: object) =>
      checkDocumented('POST /v1/compact', '/v1/compact', { body: JSON.stringify(body) });
    await compact({ revision: 1_000_000 });
    await compact({ revision: 3 });
    await compact({ revision: 3 });
    await compact({ revision: 0 });
    await checkDocumented('GET /v1/kv/leased?revision=2', '/v1/kv/{key}');
    await checkDocumented('GET /v1/kv?revision=2', '/v1/kv');
    await checkDocumented('GET /v1/kv?revision=1000000', '/v1/kv');
  });

  test('openapi: a value is bytes of any type, and may be left out', () => {
    const put = document.content.paths['/v1/kv/{key}']?.['put'] as unknown as { requestBody: object };
    assert.deepEqual((put.requestBody as { required: boolean }).required, false);
    assert.deepEqual(Object.keys((put.requestBody as { content: object }).content), ['*/*']);
  });

  test('openapi: the parameters of an operation are those that it takes', async () => {
    for (const [target, operation] of [
      ['GET /v1/kv/k', document.content.paths['/v1/kv/{key}']?.['get']],
      ['GET /v1/kv', document.content.paths['/v1/kv']?.['get']],
      ['DELETE /v1/kv', document.content.paths['/v1/kv']?.['delete']],
      ['GET /readyz', document.content.paths['/readyz']?.['get']],
    ] as const) {
      const documented = operation?.parameters?.filter((parameter) => parameter.in === 'query') ?? [];
      const detail = (await client.call(`${target}?unknown`)).json()['detail'];
      assert.match(String(detail), new RegExp(`takes ${documented.map(({ name }) => name).join(', ')}\\.$`));
    }
  });
});

/** A path of the document with something in place of its parameters. */
function pathOf(template: string): string {
  return template.replace('{key}', 'k').replace('{id}', '1');
}
