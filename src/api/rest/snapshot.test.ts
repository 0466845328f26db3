import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BalsaError, type ErrorCode } from '../../contract/errors.ts';
import { OpenapiDocument } from './testing/openapi-document.ts';
import { startApp } from './testing/start-api.ts';

const header = { memberId: '8e9e05c52164694d', revision: 9, raftTerm: 3 };
const request = 'GET /v1/snapshot HTTP/1.1\r\nhost: x\r\n\r\n';

/** 256 KiB a chunk, without end. */
function endlessChunks(): { chunks: AsyncGenerator<Uint8Array>; count: () => number; left: Promise<void> } {
  const chunk = Buffer.alloc(256 * 1024, 'v');
  let count = 0;
  let leave: () => void = () => {};
  const left = new Promise<void>((resolve) => {
    leave = resolve;
  });
  async function* generate(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        count++;
        yield chunk;
      }
    } finally {
      leave();
    }
  }
  return { chunks: generate(), count: () => count, left };
}

async function* chunksOf(...chunks: readonly (Uint8Array | Error)[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) {
    if (chunk instanceof Error) throw chunk;
    yield chunk;
  }
}

test('snapshot: the bytes of the service, as a file of a type of its own', async (t) => {
  const asked: unknown[] = [];
  const { client } = await startApp(t, {
    backup: async ({ timeoutMs, signal }) => {
      asked.push([timeoutMs, signal?.aborted]);
      return { header, revision: 7, chunks: chunksOf(Buffer.of(0xff, 0), new Uint8Array([10, 1])) };
    },
  });
  const document = await OpenapiDocument.of(client);
  const answer = await document.checkAnswer('GET /v1/snapshot?timeout=30s', '/v1/snapshot');
  assert.equal(answer.status, 200);
  assert.deepEqual(answer.bytes, Buffer.of(0xff, 0, 10, 1));
  assert.equal(answer.headers['content-type'], 'application/vnd.balsa.backup');
  assert.equal(answer.headers['content-disposition'], 'attachment; filename="balsa-7.backup"');
  assert.equal(answer.headers['balsa-snapshot-revision'], '7');
  assert.equal(answer.headers['balsa-revision'], '9');
  assert.equal(answer.headers['x-content-type-options'], 'nosniff');
  assert.equal(answer.headers['content-length'], undefined);
  assert.deepEqual(asked, [[30_000, false]]);
});

test('snapshot: a HEAD begins no backup', async (t) => {
  const { client } = await startApp(t, {});
  const answer = await client.call('HEAD /v1/snapshot');
  assert.deepEqual([answer.status, answer.headers['content-type']], [200, 'application/vnd.balsa.backup']);
});

test('snapshot: parameters that it does not take are refused', async (t) => {
  const { client } = await startApp(t, {});
  for (const [query, parameter] of [
    ['revision=5', 'revision'],
    ['timeout=0s', 'timeout'],
    ['timeout=5s&timeout=5s', 'timeout'],
  ] as const) {
    const answer = await client.call(`GET /v1/snapshot?${query}`);
    assert.deepEqual(
      [answer.status, answer.json()['code'], answer.json()['parameter']],
      [400, 'bad_request', parameter],
    );
  }
});

test('snapshot: all that it can end with before it begins is a problem, and documented', async (t) => {
  let code: ErrorCode = 'internal';
  let isLate = false;
  const { client } = await startApp(t, {
    backup: async () => {
      const failure = new BalsaError(code, 'What happened. What to do.');
      if (isLate) return { header, revision: 7, chunks: chunksOf(failure) };
      throw failure;
    },
  });
  const document = await OpenapiDocument.of(client);
  for (isLate of [false, true]) {
    for (code of ['unavailable', 'too_many_requests', 'timeout', 'no_leader', 'internal'] as const) {
      const answer = await document.checkAnswer('GET /v1/snapshot', '/v1/snapshot');
      assert.equal(answer.json()['code'], code);
      assert.equal(answer.headers['content-disposition'], undefined, 'a problem is no file to be saved');
      assert.equal(answer.headers['balsa-snapshot-revision'], undefined);
    }
  }
});

test('snapshot: a failure in the middle cuts it off, and is logged once', async (t) => {
  const failed: unknown[] = [];
  const api = await startApp(
    t,
    {
      backup: async () => ({
        header,
        revision: 7,
        chunks: chunksOf(Buffer.from('begun'), new Error('the disk is gone')),
      }),
    },
    { log: { requestFailed: (error, at) => failed.push([error.cause, at]), listenerFailed: () => {} } },
  );
  const connection = await api.client.connect();
  connection.send(request);
  const received = await connection.untilClosed();
  assert.match(received, /begun/);
  assert.doesNotMatch(received, /\r\n0\r\n\r\n$/, 'the mark of a complete body');
  assert.deepEqual(failed, [[new Error('the disk is gone'), { method: 'GET', url: '/v1/snapshot' }]]);
});

test('snapshot: a client that goes away ends it', async (t) => {
  const { chunks, left } = endlessChunks();
  let signal: AbortSignal | undefined;
  const api = await startApp(t, {
    backup: async (options) => {
      signal = options.signal;
      return { header, revision: 7, chunks };
    },
  });
  const connection = await api.client.connect();
  connection.send(request);
  await connection.until('vvvv');
  connection.close();
  await left;
  assert.equal(signal?.aborted, true);
});

test('snapshot: a client that does not read holds a few chunks up, and is ended for it', async (t) => {
  const { chunks, count, left } = endlessChunks();
  const api = await startApp(t, { backup: async () => ({ header, revision: 7, chunks }) }, { idleTimeoutMs: 300 });
  const connection = await api.client.connect();
  connection.socket.pause();
  connection.send(request);
  await left;
  // What the two sockets' buffers in the kernel take, and a chunk here and there.
  assert.ok(count() < 100, `${count()} chunks of 256 KiB were read`);
  connection.close();
});
