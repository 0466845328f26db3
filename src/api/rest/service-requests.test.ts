import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RangePage } from '../../replica/service.ts';
import { created, header } from './testing/answers.ts';
import type { Answer, CallOptions } from './testing/http-client.ts';
import { startApp } from './testing/start-api.ts';

const page: RangePage = { header, readRevision: 5, kvs: [], count: 0, more: false, next: undefined };
const id = 0x694d81417acd4754n;

/** What the service is asked for by one HTTP request, method and arguments, and what the client gets. */
async function requested(
  t: Parameters<typeof startApp>[0],
  target: string,
  options?: CallOptions,
): Promise<{ readonly calls: readonly unknown[]; readonly answer: Answer }> {
  const calls: unknown[] = [];
  const record =
    <Result>(method: string, result: Result) =>
    async (...given: readonly unknown[]): Promise<Result> => {
      calls.push([method, ...given.map(withoutSignal)]);
      return result;
    };
  const { client } = await startApp(t, {
    put: record('put', created),
    get: record('get', { header, kv: undefined }),
    delete: record('delete', { header, deleted: 1, previous: undefined }),
    deleteRange: record('deleteRange', { header, deleted: 2, previous: undefined }),
    txn: record('txn', { header, succeeded: true, results: [] }),
    compact: record('compact', { header }),
    range: record('range', page),
    stream: record('stream', { header, pages: (async function* () {})() }),
    grant: record('grant', { header, id, ttl: 30 }),
    keepAlive: record('keepAlive', { header, id, ttl: 30 }),
    timeToLive: record('timeToLive', {
      header,
      id,
      ttl: 21,
      grantedTtl: 30,
      keys: [Buffer.from('a'), Buffer.of(0xff)],
    }),
    revoke: record('revoke', { header, deleted: 2 }),
    list: record('list', { header, ids: [1n, id] }),
    alarms: () => [
      { kind: 'no_space', memberId: undefined },
      { kind: 'corrupt', memberId: '8e9e05c52164694d' },
    ],
  });
  return { answer: await client.call(target, options), calls };
}

function withoutSignal(argument: unknown): unknown {
  if (typeof argument !== 'object' || argument === null || !('signal' in argument)) return argument;
  const { signal: _signal, ...rest } = argument;
  return rest;
}

const token = { headers: { 'idempotency-key': '5f8f1c9e-7e0b' } };
const writeOptions = { timeoutMs: 5000, idempotencyKey: '5f8f1c9e-7e0b' };
const readOptions = { timeoutMs: 5000, consistency: { level: 'linearizable' } };

for (const [target, call, body] of [
  ['PUT /v1/kv/a', ['put', { key: 'a', value: 'v', condition: undefined, previous: false }], 'v'],
  ['DELETE /v1/kv/a', ['delete', { key: 'a', condition: undefined, previous: false }]],
  ['DELETE /v1/kv?start=a&end=b', ['deleteRange', { range: { start: 'a', end: 'b' } }]],
  ['POST /v1/txn', ['txn', { compare: [], success: [], failure: [] }], '{}'],
  ['POST /v1/leases', ['grant', { id: undefined, ttl: 30 }], '{"ttl":30}'],
  ['DELETE /v1/leases/694d81417acd4754', ['revoke', id]],
  ['POST /v1/compact', ['compact', 5], '{"revision":5}'],
] as const) {
  test(`request: ${target}: an Idempotency-Key goes with every write`, async (t) => {
    const { calls } = await requested(t, target, body === undefined ? token : { ...token, body });
    assert.deepEqual(readable(calls), [[...call, writeOptions]]);
  });

  for (const [what, value] of [
    ['empty', ''],
    ['longer than 256', 'k'.repeat(257)],
    ['with a space', 'a b'],
    ['not ASCII', '\xe9'],
  ] as const) {
    test(`request: ${target}: an Idempotency-Key that is ${what} is refused`, async (t) => {
      const headers = { 'idempotency-key': value };
      const { calls, answer } = await requested(t, target, body === undefined ? { headers } : { headers, body });
      assert.deepEqual([answer.status, answer.json()['code']], [400, 'bad_request']);
      assert.equal(answer.json()['parameter'], 'Idempotency-Key');
      assert.deepEqual(calls, []);
    });
  }
}

test('request: an Idempotency-Key of 256 characters', async (t) => {
  const headers = { 'idempotency-key': '~'.repeat(256) };
  assert.equal((await requested(t, 'PUT /v1/kv/a', { headers, body: 'v' })).answer.status, 201);
});

test('request: an Idempotency-Key that is sent twice is refused', async (t) => {
  const { client } = await startApp(t, {});
  const connection = await client.connect();
  const twice = 'idempotency-key: a\r\nidempotency-key: b\r\n';
  connection.send(`PUT /v1/kv/a HTTP/1.1\r\nhost: x\r\n${twice}content-length: 0\r\n\r\n`);
  await connection.until('"parameter":"Idempotency-Key"');
  connection.close();
});

test('request: PUT with a lease', async (t) => {
  const { calls } = await requested(t, 'PUT /v1/kv/a?lease=1A', { body: 'v' });
  const put = { key: 'a', value: 'v', condition: undefined, previous: false, lease: 0x1an };
  assert.deepEqual(readable(calls), [['put', put, { timeoutMs: 5000, idempotencyKey: undefined }]]);
});

test('request: GET of the past', async (t) => {
  const { calls } = await requested(t, 'GET /v1/kv/a?revision=5');
  assert.deepEqual(readable(calls), [['get', 'a', { ...readOptions, revision: 5 }]]);
});

const shape = { limit: 1000, keysOnly: false, countOnly: false, sort: 'key', order: 'asc' };
const everything = { start: '', end: undefined };

test('request: a list of the past, with bounds, by value', async (t) => {
  const bounds = { minModRevision: 2, maxModRevision: 3, minCreateRevision: 4, maxCreateRevision: 9007199254740991 };
  const query = Object.entries({ revision: 7, ...bounds, sort: 'value' }).map(([name, value]) => `${name}=${value}`);
  const { answer, calls } = await requested(t, `GET /v1/kv?${query.join('&')}`);
  assert.equal(answer.json()['revision'], 5, 'the revision of what is listed');
  assert.equal(answer.headers['balsa-revision'], '7', 'that of the store');
  const list = { ...shape, range: everything, sort: 'value', revision: 7, bounds };
  assert.deepEqual(readable(calls), [['range', list, readOptions]]);
  const plain = await requested(t, 'GET /v1/kv');
  assert.deepEqual(readable(plain.calls), [['range', { ...shape, range: everything }, readOptions]]);
});

test('request: a stream of the past; bounds are for pages', async (t) => {
  const headers = { accept: 'application/x-ndjson' };
  const { calls } = await requested(t, 'GET /v1/kv?revision=5', { headers });
  assert.deepEqual(readable(calls), [['stream', everything, { ...readOptions, keysOnly: false, revision: 5 }]]);
  const { answer } = await requested(t, 'GET /v1/kv?minModRevision=5', { headers });
  assert.deepEqual([answer.status, answer.json()['parameter']], [400, 'minModRevision']);
});

for (const value of ['0', '-1', '1.5', '9007199254740992', '18446744073709551616', 'now', '']) {
  for (const name of ['revision', 'minModRevision', 'maxCreateRevision']) {
    test(`request: ${name}=${value} is refused`, async (t) => {
      const { answer, calls } = await requested(t, `GET /v1/kv?${name}=${value}`);
      assert.deepEqual([answer.status, answer.json()['code'], answer.json()['parameter']], [400, 'bad_request', name]);
      assert.deepEqual(calls, []);
    });
  }
}

for (const lease of ['0', '', 'xyz', '-1', '00000000000000001', '8000000000000000']) {
  test(`request: lease=${lease} is refused`, async (t) => {
    const { answer } = await requested(t, `PUT /v1/kv/a?lease=${lease}`, { body: 'v' });
    assert.deepEqual([answer.status, answer.json()['parameter']], [400, 'lease']);
  });

  test(`request: /v1/leases/${lease} is refused`, async (t) => {
    for (const target of [`GET /v1/leases/${lease}`, `DELETE /v1/leases/${lease}`]) {
      const { answer, calls } = await requested(t, target);
      assert.deepEqual([answer.status, answer.json()['parameter']], [400, 'id']);
      assert.deepEqual(calls, []);
    }
  });
}

test('request: grant: 201 with the id as etcdctl prints it', async (t) => {
  const { answer, calls } = await requested(t, 'POST /v1/leases', { body: '{"ttl":9000000000,"id":"1a"}' });
  assert.equal(answer.status, 201);
  assert.equal(answer.text, '{"id":"694d81417acd4754","ttl":30}\n');
  const options = { timeoutMs: 5000, idempotencyKey: undefined };
  assert.deepEqual(calls, [['grant', { id: 0x1an, ttl: 9_000_000_000 }, options]]);
});

for (const [body, parameter] of [
  ['{"ttl":0}', 'ttl'],
  ['{"ttl":-1}', 'ttl'],
  ['{"ttl":1.5}', 'ttl'],
  ['{"ttl":1099511627776}', 'ttl'],
  ['{"ttl":9000000001}', 'ttl'],
  ['{"ttl":1e400}', 'ttl'],
  ['{"ttl":"30"}', 'ttl'],
  ['{"ttl":null}', 'ttl'],
  ['{}', 'ttl'],
  ['{"ttl":30,"id":0}', 'id'],
  ['{"ttl":30,"id":"0"}', 'id'],
  ['{"ttl":30,"id":"x"}', 'id'],
  ['{"TTL":30}', 'TTL'],
  ['[]', undefined],
  ['30', undefined],
  ['ttl=30', undefined],
] as const) {
  test(`request: POST /v1/leases ${body} is refused`, async (t) => {
    const { answer, calls } = await requested(t, 'POST /v1/leases', { body });
    assert.deepEqual([answer.status, answer.json()['code']], [400, 'bad_request']);
    assert.equal(answer.json()['parameter'], parameter);
    assert.deepEqual(calls, []);
  });
}

for (const [body, parameter] of [
  ['{"revision":0}', 'revision'],
  ['{"revision":-5}', 'revision'],
  ['{"revision":9007199254740992}', 'revision'],
  ['{"revision":"5"}', 'revision'],
  ['{}', 'revision'],
  ['{"revision":5,"physical":true}', 'physical'],
] as const) {
  test(`request: POST /v1/compact ${body} is refused`, async (t) => {
    const { answer, calls } = await requested(t, 'POST /v1/compact', { body });
    assert.deepEqual([answer.status, answer.json()['parameter']], [400, parameter]);
    assert.deepEqual(calls, []);
  });
}

test('request: a body of 16 KiB is the most where a number is wanted', async (t) => {
  const { answer } = await requested(t, 'POST /v1/compact', { body: '{"revision":5}'.padEnd(16 * 1024 + 1) });
  assert.deepEqual([answer.status, answer.json()['limitBytes']], [413, 16 * 1024]);
});

test('request: keep alive; a body would mean nothing', async (t) => {
  const { answer, calls } = await requested(t, 'POST /v1/leases/694d81417acd4754/keepalive');
  assert.equal(answer.text, '{"id":"694d81417acd4754","ttl":30}\n');
  assert.deepEqual(calls, [['keepAlive', id, { timeoutMs: 5000 }]]);
  const refused = await requested(t, 'POST /v1/leases/694d81417acd4754/keepalive', { body: '{"ttl":5}' });
  assert.deepEqual([refused.answer.status, refused.calls], [400, []]);
});

test('request: the time that is left of a lease, with and without its keys', async (t) => {
  const { answer, calls } = await requested(t, 'GET /v1/leases/694D81417ACD4754');
  assert.equal(answer.text, '{"id":"694d81417acd4754","ttl":21,"grantedTtl":30}\n');
  assert.deepEqual(calls, [['timeToLive', id, { timeoutMs: 5000, keys: false }]]);
  const withKeys = await requested(t, 'GET /v1/leases/694d81417acd4754?keys');
  assert.deepEqual(withKeys.answer.json()['keys'], [{ key: 'a' }, { keyBase64: '/w==' }]);
});

test('request: all leases; revoke; compact; alarms', async (t) => {
  const list = await requested(t, 'GET /v1/leases?consistency=stale');
  const ids = [{ id: '0000000000000001' }, { id: '694d81417acd4754' }];
  assert.deepEqual(list.answer.json(), { revision: 7, leases: ids });
  const revoke = await requested(t, 'DELETE /v1/leases/1');
  assert.deepEqual(revoke.answer.json(), { deleted: 2, revision: 7 });
  const compact = await requested(t, 'POST /v1/compact', { body: '{"revision":5}' });
  assert.deepEqual(compact.answer.json(), { revision: 7 });
  const alarms = await requested(t, 'GET /v1/alarms');
  assert.deepEqual(alarms.answer.json(), {
    alarms: [{ alarm: 'no_space' }, { alarm: 'corrupt', memberId: '8e9e05c52164694d' }],
  });
});

for (const [target, allow] of [
  ['GET /v1/txn', 'POST'],
  ['PUT /v1/watch', 'GET, HEAD'],
  ['DELETE /v1/leases', 'GET, HEAD, POST'],
  ['PUT /v1/leases/1', 'DELETE, GET, HEAD'],
  ['GET /v1/leases/1/keepalive', 'POST'],
  ['GET /v1/compact', 'POST'],
  ['POST /v1/alarms', 'GET, HEAD'],
] as const) {
  test(`request: ${target}: another method is wanted`, async (t) => {
    const { answer } = await requested(t, target);
    assert.deepEqual([answer.status, answer.json()['code']], [405, 'method_not_allowed']);
    assert.equal(answer.headers.allow, allow);
  });
}

/** Bytes as text, to be compared and read. */
function readable(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  if (Array.isArray(value)) return value.map(readable);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, readable(member)]));
}
