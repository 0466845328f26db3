// biome-ignore-all lint/suspicious/noThenProperty: a word of the API; nobody awaits these objects
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import Fastify from 'fastify';
import { open } from '../../server/index.ts';
import type { Answer, CallOptions, HttpClient } from './testing/http-client.ts';
import { type RunningApi, startNode } from './testing/start-api.ts';

interface Content {
  readonly schema: object;
  readonly example?: unknown;
}

interface Response {
  readonly description: string;
  readonly headers: Readonly<Record<string, object>>;
  readonly content?: Readonly<Record<string, Content>>;
}

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly description: string }[];
  readonly responses: Readonly<Record<string, Response>>;
}

interface Document {
  readonly openapi: string;
  readonly components: object;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

describe('openapi', () => {
  let api: RunningApi;
  let client: HttpClient;
  let document: Document;

  before(async () => {
    api = await startNode(open);
    client = api.client;
    document = (await client.call('GET /openapi.json')).json() as unknown as Document;
  });

  after(() => api.stop());

  function operations(): { readonly name: string; readonly operation: Operation }[] {
    return Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, operation })),
    );
  }

  /** Sends a request and compares what comes back with what the document says about it. */
  async function checkDocumented(target: string, path: string, options?: CallOptions): Promise<Answer> {
    const answer = await client.call(target, options);
    const method = target.slice(0, target.indexOf(' ')).toLowerCase();
    const response = document.paths[path]?.[method]?.responses[answer.status];
    assert.ok(response !== undefined, `${target}: ${answer.status} is not documented`);
    const declared = Object.keys(response.headers).map((name) => name.toLowerCase());
    const sent = Object.keys(answer.headers).filter((name) => /^(balsa-|etag|retry-after|allow)/.test(name));
    assert.deepEqual(
      sent.filter((name) => !declared.includes(name)),
      [],
      `${target}: headers that are not documented`,
    );
    if (answer.bytes.length === 0) return answer;
    const type = String(answer.headers['content-type']).split(';')[0] ?? '';
    const content = response.content?.[type];
    assert.ok(content !== undefined, `${target}: ${type} is not documented`);
    if (/json$/.test(type) && type !== 'application/x-ndjson') await checkSchema(content.schema, answer.json(), target);
    return answer;
  }

  /** Fastify's own validator, without the coercion that would mend what it checks. */
  async function checkSchema(schema: object, value: unknown, what: string): Promise<void> {
    const validator = Fastify({
      ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false, strict: false } },
    });
    const body = { ...schema, components: document.components };
    validator.post('/', { schema: { body } }, async () => 'valid');
    const payload = { payload: JSON.stringify(value), headers: { 'content-type': 'application/json' } };
    const verdict = await validator.inject({ method: 'POST', url: '/', ...payload });
    assert.equal(verdict.body, 'valid', `${what}: ${JSON.stringify(value)}`);
  }

  test('openapi: 3.1, with a name and a summary for each operation', () => {
    assert.equal(document.openapi, '3.1.0');
    const names = operations().map(({ operation }) => operation.operationId);
    assert.equal(new Set(names).size, names.length);
    for (const { name, operation } of operations()) {
      assert.ok(operation.summary.length > 0, name);
      for (const parameter of operation.parameters ?? []) assert.ok(parameter.description.length > 0, parameter.name);
      for (const [status, response] of Object.entries(operation.responses)) {
        assert.notEqual(response.description, 'Default Response', `${name} ${status}`);
        assert.ok('Balsa-Revision' in response.headers, `${name} ${status}`);
      }
    }
  });

  test('openapi: all that rest-api promises is there', () => {
    assert.deepEqual(Object.keys(document.paths).sort(), [
      '/',
      '/health',
      '/livez',
      '/metrics',
      '/openapi.json',
      '/readyz',
      '/v1/alarms',
      '/v1/cluster',
      '/v1/compact',
      '/v1/kv',
      '/v1/kv/{key}',
      '/v1/leases',
      '/v1/leases/{id}',
      '/v1/leases/{id}/keepalive',
      '/v1/status',
      '/v1/txn',
      '/v1/version',
      '/v1/watch',
      '/version',
    ]);
  });

  test('openapi: the methods of each path are those that the server has', async () => {
    for (const [path, methods] of Object.entries(document.paths)) {
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
    for (const { name, operation } of operations()) {
      for (const { content = {} } of Object.values(operation.responses)) {
        for (const { schema, example } of Object.values(content)) {
          if (example !== undefined) await checkSchema(schema, example, name);
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
    for (const [path, methods] of Object.entries(document.paths)) {
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
    const put = document.paths['/v1/kv/{key}']?.['put'] as unknown as { requestBody: object };
    assert.deepEqual((put.requestBody as { required: boolean }).required, false);
    assert.deepEqual(Object.keys((put.requestBody as { content: object }).content), ['*/*']);
  });

  test('openapi: the parameters of an operation are those that it takes', async () => {
    for (const [target, operation] of [
      ['GET /v1/kv/k', document.paths['/v1/kv/{key}']?.['get']],
      ['GET /v1/kv', document.paths['/v1/kv']?.['get']],
      ['DELETE /v1/kv', document.paths['/v1/kv']?.['delete']],
      ['GET /readyz', document.paths['/readyz']?.['get']],
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
