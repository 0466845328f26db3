import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KeyValue, PutAnswer } from '../../contract/kv.ts';
import { created, header } from './testing/answers.ts';
import { startApp } from './testing/start-api.ts';

const put = async (): Promise<PutAnswer> => created;
const never = new Promise<never>(() => {});

/** 256 KiB a page, without end. */
function endlessPages(): { pages: AsyncGenerator<readonly KeyValue[]>; count: () => number; left: Promise<void> } {
  const key = Buffer.from('a');
  const page: KeyValue[] = [
    { key, value: Buffer.alloc(256 * 1024, 'v'), createRevision: 2, modRevision: 2, version: 1 },
  ];
  let count = 0;
  let leave: () => void = () => {};
  const left = new Promise<void>((resolve) => {
    leave = resolve;
  });
  async function* generate(): AsyncGenerator<readonly KeyValue[]> {
    try {
      for (;;) {
        count++;
        yield page;
      }
    } finally {
      leave();
    }
  }
  return { pages: generate(), count: () => count, left };
}

const streamRequest = 'GET /v1/kv HTTP/1.1\r\nhost: x\r\naccept: application/x-ndjson\r\n\r\n';

test('slow: headers that do not end: 408, and the connection ends', async (t) => {
  const api = await startApp(t, {}, { headersTimeoutMs: 100, requestTimeoutMs: 200 });
  const connection = await api.client.connect();
  connection.send('GET / HTTP/1.1\r\nhost: x\r\nslow');
  const received = await connection.untilClosed();
  assert.match(received, /^HTTP\/1\.1 408 /);
  assert.match(received, /"code":"request_timeout"/);
});

test('slow: a body that does not end: 408, nothing is put, and the connection ends', async (t) => {
  let puts = 0;
  const counting = async (): Promise<PutAnswer> => {
    puts++;
    return put();
  };
  const api = await startApp(t, { put: counting }, { headersTimeoutMs: 100, requestTimeoutMs: 200 });
  for (const framing of ['content-length: 10', 'transfer-encoding: chunked']) {
    const connection = await api.client.connect();
    connection.send(`PUT /v1/kv/a HTTP/1.1\r\nhost: x\r\n${framing}\r\n\r\n3\r\n`);
    const received = await connection.untilClosed();
    assert.match(received, /^HTTP\/1\.1 408 /);
    assert.match(received, /"code":"request_timeout"/);
  }
  assert.equal(puts, 0);
});

test('slow: a body that is refused and goes on for ever: one answer, and the connection ends', async (t) => {
  const api = await startApp(t, { put }, { headersTimeoutMs: 100, requestTimeoutMs: 200, valueBytesMax: 8 });
  const connection = await api.client.connect();
  connection.send('PUT /v1/kv/a HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n10\r\n0123456789abcdef\r\n');
  await connection.until('"code":"too_large"');
  const rest = await connection.untilClosed();
  assert.doesNotMatch(rest, /HTTP\/1\.1/);
});

test('slow: after a body that was refused the connection serves the next request', async (t) => {
  const api = await startApp(t, { put }, { valueBytesMax: 8 });
  const connection = await api.client.connect();
  connection.send(`PUT /v1/kv/a HTTP/1.1\r\nhost: x\r\ncontent-length: 16\r\n\r\n01234567`);
  await connection.until('"code":"too_large"');
  connection.send('89abcdefPUT /v1/kv/a HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\nx');
  await connection.until('201 Created');
  connection.close();
});

test('slow: a stream that the client does not read: a few pages wait, and then the connection ends', async (t) => {
  const { pages, count, left } = endlessPages();
  const api = await startApp(t, { stream: async () => ({ header, pages }) }, { idleTimeoutMs: 300 });
  const connection = await api.client.connect();
  connection.socket.pause();
  connection.send(streamRequest);
  await left;
  // What the two sockets' buffers in the kernel take, and a page here and there.
  assert.ok(count() < 100, `${count()} pages of 256 KiB were read`);
  connection.close();
});

test('slow: a stream whose client goes away is left', async (t) => {
  const { pages, left } = endlessPages();
  const api = await startApp(t, { stream: async () => ({ header, pages }) });
  const connection = await api.client.connect();
  connection.send(streamRequest);
  await connection.until('"key":"a"');
  connection.close();
  await left;
});

test('slow: a list whose client goes away is told to stop', async (t) => {
  let signalled: (signal: AbortSignal | undefined) => void = () => {};
  const begun = new Promise<AbortSignal | undefined>((resolve) => {
    signalled = resolve;
  });
  const api = await startApp(t, {
    range: (_request, { signal }) => {
      signalled(signal);
      return never;
    },
  });
  const connection = await api.client.connect();
  connection.send('GET /v1/kv HTTP/1.1\r\nhost: x\r\n\r\n');
  const signal = await begun;
  assert.ok(signal !== undefined);
  const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve));
  connection.close();
  await aborted;
});

test('slow: a member that closes ends idle connections and lets requests under way end', async (t) => {
  let finish: () => void = () => {};
  let begun: () => void = () => {};
  const isBegun = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const api = await startApp(t, {
    put: () => {
      begun();
      return new Promise((resolve) => {
        finish = () => resolve(put());
      });
    },
  });
  const idle = await api.client.connect();
  idle.send('GET /version HTTP/1.1\r\nhost: x\r\n\r\n');
  await idle.until('"balsa":"1.2.3"}\n');
  const answer = api.client.call('PUT /v1/kv/a', { body: 'x' });
  await isBegun;
  const stopped = api.close();
  await idle.untilClosed();
  finish();
  assert.equal((await answer).status, 201);
  await stopped;
});
