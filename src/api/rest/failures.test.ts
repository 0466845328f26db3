import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BalsaError, type ErrorCode, errorCatalogue, isErrorCode } from '../../contract/errors.ts';
import type { PutAnswer } from '../../contract/kv.ts';
import { header } from './testing/answers.ts';
import { startApp } from './testing/start-api.ts';

const putAnswer: PutAnswer = {
  header,
  created: false,
  createRevision: 2,
  modRevision: 7,
  version: 3,
  previous: undefined,
};

for (const code of Object.keys(errorCatalogue).filter(isErrorCode)) {
  test(`failure: ${code}: as a problem, with its status and what it means for a retry`, async (t) => {
    const api = await startApp(t, {
      put: async () => {
        throw new BalsaError(code, 'What happened. What to do.', { extras: { parameter: 'x' } });
      },
    });
    const answer = await api.client.call('PUT /v1/kv/a', { body: 'x' });
    const { httpStatus, title, retryable, definite } = errorCatalogue[code];
    assert.equal(answer.status, httpStatus);
    assert.equal(answer.headers['content-type'], 'application/problem+json; charset=utf-8');
    assert.equal(answer.headers['cache-control'], 'no-store');
    assert.equal(answer.headers['balsa-revision'], '7');
    assert.equal(answer.headers['balsa-raft-term'], '3');
    assert.equal(answer.headers['balsa-member'], '8e9e05c52164694d');
    const problem = { code, title, status: httpStatus, detail: 'What happened. What to do.' };
    assert.deepEqual(answer.json(), { ...problem, parameter: 'x', retryable, definite });
  });
}

for (const code of ['no_leader', 'unavailable', 'too_many_requests'] satisfies ErrorCode[]) {
  test(`failure: ${code}: says when to try again`, async (t) => {
    const api = await startApp(t, {
      get: async () => {
        throw new BalsaError(code, 'x');
      },
    });
    assert.equal((await api.client.call('GET /v1/kv/a')).headers['retry-after'], '1');
  });
}

test('failure: an error of ours: the log has it, the client does not', async (t) => {
  const logged: unknown[] = [];
  const api = await startApp(
    t,
    {
      get: async () => {
        throw new Error('secret');
      },
    },
    { log: { requestFailed: (error, request) => logged.push([error.cause, request]), listenerFailed: () => {} } },
  );
  const answer = await api.client.call('GET /v1/kv/a?timeout=1s');
  assert.equal(answer.status, 500);
  assert.equal(answer.json()['code'], 'internal');
  assert.doesNotMatch(answer.text, /secret/);
  assert.deepEqual(logged, [[new Error('secret'), { method: 'GET', url: '/v1/kv/a?timeout=1s' }]]);
});

test('failure: a stream that fails at its first page is an error like any other', async (t) => {
  const api = await startApp(t, {
    stream: async () => ({
      header,
      // biome-ignore lint/correctness/useYield: it fails before it has anything to yield
      pages: (async function* () {
        throw new BalsaError('unavailable', 'The member stops.');
      })(),
    }),
  });
  const answer = await api.client.call('GET /v1/kv', { headers: { accept: 'application/x-ndjson' } });
  assert.equal(answer.status, 503);
  assert.equal(answer.json()['code'], 'unavailable');
});

test('failure: a stream that fails later is cut off, so that nobody takes a part for the whole', async (t) => {
  const key = Buffer.from('a');
  const kv = { key, value: key, createRevision: 2, modRevision: 2, version: 1 };
  const failed: unknown[] = [];
  const api = await startApp(
    t,
    {
      stream: async () => ({
        header,
        pages: (async function* () {
          yield [kv];
          throw new Error('the disk is gone');
        })(),
      }),
    },
    { log: { requestFailed: (error) => failed.push(error.cause), listenerFailed: () => {} } },
  );
  const connection = await api.client.connect();
  connection.send('GET /v1/kv HTTP/1.1\r\nhost: x\r\naccept: application/x-ndjson\r\n\r\n');
  const received = await connection.untilClosed();
  assert.match(received, /"key":"a"/);
  assert.doesNotMatch(received, /\r\n0\r\n\r\n$/, 'the mark of a complete body');
  assert.deepEqual(failed, [new Error('the disk is gone')]);
});

test('failure: an age that nobody knows is older than any bound', async (t) => {
  const stale = { ...header, stalenessMs: Number.POSITIVE_INFINITY };
  const api = await startApp(t, { get: async () => ({ header: stale, kv: undefined }) });
  const answer = await api.client.call('GET /v1/kv/a?consistency=stale');
  assert.equal(answer.headers['balsa-staleness-ms'], '999999999999999');
});

test('failure: an age is rounded up: a bound stays a bound', async (t) => {
  const api = await startApp(t, { get: async () => ({ header: { ...header, stalenessMs: 0.2 }, kv: undefined }) });
  const answer = await api.client.call('GET /v1/kv/a?consistency=stale');
  assert.equal(answer.headers['balsa-staleness-ms'], '1');
});

test('failure: a write under way is never told "400" because of what comes after it on the connection', async (t) => {
  // On a connection for keys only, the write is answered first; on one of Node's server its client is told nothing.
  for (const [header, received] of [
    ['accept: */*', /^HTTP\/1\.1 200 .*"version":3\}\nHTTP\/1\.1 400 /s],
    ['te: trailers', /^$/],
  ] as const) {
    let finish: () => void = () => {};
    let begun: () => void = () => {};
    const isBegun = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const put = (): Promise<PutAnswer> => {
      begun();
      return new Promise((resolve) => {
        finish = () => resolve(putAnswer);
      });
    };
    const api = await startApp(t, { put });
    const connection = await api.client.connect();
    connection.send(`PUT /v1/kv/a HTTP/1.1\r\nhost: x\r\n${header}\r\ncontent-length: 1\r\n\r\nx`);
    await isBegun;
    connection.send('garbage\r\n\r\n');
    if (header === 'accept: */*') finish();
    assert.match(await connection.untilClosed(), received);
    finish();
  }
});
