import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { open } from '../../server/index.ts';
import type { Answer, CallOptions, HttpClient } from './testing/http-client.ts';
import { type RunningApi, startNode } from './testing/start-api.ts';

const mebibyte = 1024 * 1024;

describe('bad input', () => {
  let api: RunningApi;
  let client: HttpClient;

  before(async () => {
    api = await startNode(open);
    client = api.client;
  });

  after(() => api.stop());

  afterEach(async () => {
    const alive = await client.call('PUT /v1/kv/alive', { body: 'yes' });
    assert.ok(alive.status === 200 || alive.status === 201, 'the member is unharmed');
    const others = await client.call('GET /v1/kv?keysOnly&prefix=bad/');
    assert.deepEqual(others.json()['kvs'], [], 'nothing that was refused is there');
  });

  async function check(target: string, expected: string, options?: CallOptions): Promise<Answer> {
    const answer = await client.call(target, options);
    assert.equal(`${answer.status} ${answer.json()['code']}`, expected, answer.text);
    assert.equal(answer.headers['content-type'], 'application/problem+json; charset=utf-8');
    assert.match(String(answer.headers['balsa-member']), /^[0-9a-f]+$/);
    return answer;
  }

  /** The status line and the code of what comes back on a bare connection until the server closes it. */
  async function checkRaw(request: string, status: number, code: string): Promise<void> {
    const connection = await client.connect();
    connection.send(request);
    const received = await connection.untilClosed();
    assert.match(received, new RegExp(`^HTTP/1\\.1 ${status} `));
    assert.match(received, /\r\ncontent-type: application\/problem\+json/);
    assert.match(received, /\r\nbalsa-member: [0-9a-f]+\r\n/);
    assert.match(received, /\r\nconnection: close\r\n/i);
    assert.match(received, new RegExp(`"code":"${code}"`));
  }

  test('key: 8 KiB is the most, also where every byte is percent-encoded', async () => {
    const longest = '%ff'.repeat(8192);
    assert.equal((await client.call(`PUT /v1/kv/${longest}`, { body: 'x' })).status, 201);
    assert.equal((await client.call(`GET /v1/kv?start=${longest}&end=${longest}`)).status, 200);
    const put = await check(`PUT /v1/kv/${longest}a`, '413 too_large', { body: 'x' });
    assert.equal(put.json()['parameter'], 'key');
    await check(`GET /v1/kv/${longest}a`, '413 too_large');
    await check(`DELETE /v1/kv/${longest}a`, '413 too_large');
    await check(`GET /v1/kv?prefix=${longest}a`, '413 too_large');
  });

  test('key: empty', async () => {
    assert.equal((await check('PUT /v1/kv/', '400 bad_request', { body: 'x' })).json()['parameter'], 'key');
    await check('GET /v1/kv/?timeout=1s', '400 bad_request');
  });

  test('key: malformed percent-encoding', async () => {
    for (const path of ['bad/%', 'bad/%4', 'bad/%zz', 'bad/%%41', '%E0%A4%A']) {
      const answer = await check(`PUT /v1/kv/${path}`, '400 bad_request', { body: 'x' });
      assert.equal(answer.json()['parameter'], 'key');
    }
    await check('GET /%ff', '400 bad_request');
    await check('GET /%', '400 bad_request');
  });

  test('key: a fragment in the URL', async () => {
    const connection = await client.connect();
    connection.send('DELETE /v1/kv/alive#bad HTTP/1.1\r\nhost: x\r\n\r\n');
    await connection.until('400 Bad Request');
    connection.close();
  });

  test('value: 1.5 MiB is the most; the answer names the limit and the flag', async () => {
    const largest = Buffer.alloc(1.5 * mebibyte, 'v');
    assert.equal((await client.call('PUT /v1/kv/largest', { body: largest })).status, 201);
    assert.equal((await client.call('GET /v1/kv/largest')).bytes.length, largest.length);
    const body = Buffer.alloc(largest.length + 1);
    const refused = await check('PUT /v1/kv/bad/value', '413 too_large', { body });
    assert.equal(refused.json()['limitBytes'], largest.length);
    assert.match(String(refused.json()['detail']), /1572864 bytes.*--max-request-bytes/);
    await check('PUT /v1/kv/bad/value', '413 too_large', { body, headers: { 'transfer-encoding': 'chunked' } });
    await check('PUT /v1/kv/bad/value', '413 too_large', { body: Buffer.alloc(20 * mebibyte) });
  });

  test('value: too large: a client that asks before it sends is refused before it sends', async () => {
    const connection = await client.connect();
    connection.send(
      'PUT /v1/kv/bad/value HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 2000000\r\n\r\n',
    );
    assert.match(await connection.until('too_large'), /^HTTP\/1\.1 413 /);
    connection.close();
  });

  test('headers: above 64 KiB with the URL', async () => {
    await checkRaw(`GET / HTTP/1.1\r\nhost: x\r\nfiller: ${'x'.repeat(70_000)}\r\n\r\n`, 431, 'headers_too_large');
    await checkRaw(`GET /v1/kv/${'x'.repeat(70_000)} HTTP/1.1\r\nhost: x\r\n\r\n`, 431, 'headers_too_large');
  });

  test('no HTTP at all', async () => {
    await checkRaw('hello\r\n\r\n', 400, 'bad_request');
    await checkRaw('\x16\x03\x01\x02\x00\x01\x00', 400, 'bad_request');
    await checkRaw('PUT /v1/kv/bad/length HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n', 400, 'bad_request');
    await checkRaw(
      'PUT /v1/kv/bad/both HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
      'bad_request',
    );
  });

  test('a request that does not name its host', async () => {
    await checkRaw('GET /livez HTTP/1.1\r\n\r\n', 400, 'bad_request');
    await checkRaw('PUT /v1/kv/bad/host HTTP/1.1\r\ncontent-length: 1\r\n\r\nx', 400, 'bad_request');
    await checkRaw(
      'PUT /v1/kv/bad/host HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 1\r\n\r\n',
      400,
      'bad_request',
    );
  });

  test('a body that breaks off: nothing is put', async () => {
    const connection = await client.connect();
    connection.send('PUT /v1/kv/bad/body HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc');
    connection.socket.end();
    await connection.untilClosed();
  });

  test('a body that turns out to be malformed: nothing is put', async () => {
    await checkRaw(
      'PUT /v1/kv/bad/chunk HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n',
      400,
      'bad_request',
    );
  });

  test('a DELETE with a body', async () => {
    const options = { body: 'x', headers: { 'content-length': '1' } };
    await check('DELETE /v1/kv/alive', '400 bad_request', options);
    await check('DELETE /v1/kv?prefix=alive', '400 bad_request', options);
  });

  for (const [header, values] of [
    ['if-match', ['5', 'W/"5"', '"abc"', '"5', '']],
    ['if-none-match', ['5', '"5"', 'W/"5"', '"abc"']],
  ] as const) {
    for (const value of values) {
      test(`condition: ${header}: ${value}`, async () => {
        const headers = { [header]: value };
        const put = await check('PUT /v1/kv/bad/tag', '400 bad_request', { body: 'x', headers });
        assert.equal(String(put.json()['parameter']).toLowerCase(), header);
        await check('DELETE /v1/kv/alive', '400 bad_request', { headers });
      });
    }
  }

  for (const [target, parameter] of [
    ['GET /v1/kv/alive?consistency=eventual', 'consistency'],
    ['GET /v1/kv/alive?consistency=bounded', 'maxStaleness'],
    ['GET /v1/kv/alive?consistency=bounded&maxStaleness=-1s', 'maxStaleness'],
    ['GET /v1/kv/alive?maxStaleness=1s', 'maxStaleness'],
    ['GET /v1/kv?limit=0', 'limit'],
    ['GET /v1/kv?limit=1000000', 'limit'],
    ['GET /v1/kv?limit=many', 'limit'],
    ['GET /v1/kv?limit=1&limit=2', 'limit'],
    ['PUT /v1/kv/bad/timeout?timeout=5', 'timeout'],
    ['PUT /v1/kv/bad/timeout?timeout=-5s', 'timeout'],
    ['PUT /v1/kv/bad/timeout?timeout=1h', 'timeout'],
    ['PUT /v1/kv/bad/flag?prevKv=yes', 'prevKv'],
    ['PUT /v1/kv/bad/lease?lease=0', 'lease'],
    ['PUT /v1/kv/bad/unknown?leese=1', 'leese'],
    ['GET /v1/kv/alive?revision=0', 'revision'],
    ['GET /v1/kv?revision=9007199254740992', 'revision'],
    ['PUT /v1/kv/bad/unknown?%', '%'],
    ['GET /v1/kv/alive?prevKv', 'prevKv'],
    ['DELETE /v1/kv/alive?consistency=stale', 'consistency'],
    ['DELETE /v1/kv?prefix=alive&limit=1', 'limit'],
    ['GET /v1/status?verbose', 'verbose'],
    ['GET /v1/cluster?timeout=soon', 'timeout'],
    ['GET /livez?verbos', 'verbos'],
    ['GET /health?verbose', 'verbose'],
    ['GET /metrics?name=x', 'name'],
    ['GET /version?x', 'x'],
    ['GET /openapi.json?x', 'x'],
    ['GET /?x', 'x'],
  ] as const) {
    test(`parameter: ${target}`, async () => {
      assert.equal((await check(target, '400 bad_request')).json()['parameter'], parameter);
    });
  }

  for (const [target, allow] of [
    ['POST /v1/kv/alive', 'DELETE, GET, HEAD, PUT'],
    ['PATCH /v1/kv/%', 'DELETE, GET, HEAD, PUT'],
    ['OPTIONS /v1/kv/alive', 'DELETE, GET, HEAD, PUT'],
    ['TRACE /v1/kv/alive', 'DELETE, GET, HEAD, PUT'],
    ['PROPFIND /v1/kv/alive', 'DELETE, GET, HEAD, PUT'],
    ['POST /v1/kv?prefix=alive', 'DELETE, GET, HEAD'],
    ['PUT /v1/kv', 'DELETE, GET, HEAD'],
    ['DELETE /v1/status', 'GET, HEAD'],
    ['PUT /', 'GET, HEAD'],
  ] as const) {
    test(`method: ${target}`, async () => {
      assert.equal((await check(target, '405 method_not_allowed')).headers.allow, allow);
    });
  }

  for (const target of [
    'GET /v1',
    'GET /V1/kv/alive',
    'PUT /v1/kvs/bad',
    'POST /v4/kv/range',
    'DELETE /v1/%6Bv/alive',
    'GET /v1/status/',
    'GET //v1/status',
    'GET /favicon.ico',
    'OPTIONS *',
  ]) {
    test(`route: ${target}`, async () => {
      await check(target, '404 not_found');
    });
  }

  test('a client that never reads its answer: the others do not notice', async () => {
    await client.call('PUT /v1/kv/large', { body: Buffer.alloc(mebibyte) });
    const connection = await client.connect();
    connection.socket.pause();
    connection.send('GET /v1/kv/large HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(20));
    connection.send('GET /v1/kv HTTP/1.1\r\nhost: x\r\naccept: application/x-ndjson\r\n\r\n');
    const others = await Promise.all(Array.from({ length: 20 }, () => client.call('GET /v1/kv/large')));
    assert.deepEqual(new Set(others.map(({ bytes }) => bytes.length)), new Set([mebibyte]));
    connection.close();
  });
});
