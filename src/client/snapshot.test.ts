import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { afterEach, test } from 'node:test';
import { connect } from './index.ts';
import { Endpoints, hangUp, problem, rejection } from './testing/endpoint.ts';

const endpoints = new Endpoints();
afterEach(() => endpoints.closeAll());

const headers = { 'content-type': 'application/vnd.balsa.backup', 'balsa-snapshot-revision': '7' };

async function bytesOf(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts);
}

test('snapshot: from the first endpoint that gives one, with its revision', async () => {
  const answer: RequestListener = (request, response) => {
    assert.equal(request.headers.accept, 'application/vnd.balsa.backup');
    response.writeHead(200, headers).write(Buffer.of(0xff, 0));
    response.end(Buffer.of(10));
  };
  const urls = [await endpoints.open(problem('unavailable')), await endpoints.open(answer)];
  const { endpoint, revision, chunks } = await connect({ endpoints: urls }).snapshot();
  assert.deepEqual([endpoint, revision], [urls[1], 7]);
  assert.deepEqual(await bytesOf(chunks), Buffer.of(0xff, 0, 10));
});

test('snapshot: one that is cut off, or of which nothing comes any more, is an error', async () => {
  const cutOff: RequestListener = (_request, response) => {
    response.writeHead(200, headers).write('begun', () => response.destroy());
  };
  const silent: RequestListener = (_request, response) => void response.writeHead(200, headers).write('begun');
  for (const [answer, detail] of [
    [cutOff, /broke the connection/],
    [silent, /has been silent for 100 ms/],
  ] as const) {
    const { chunks } = await connect({ endpoints: await endpoints.open(answer) }).snapshot({ silenceMs: 100 });
    const failure = await rejection(bytesOf(chunks));
    assert.equal(failure.code, 'unavailable');
    assert.match(failure.detail, detail);
  }
});

test('snapshot: leaving it, or aborting, ends the connection', async () => {
  for (const how of ['leave', 'abort']) {
    const stopping = new AbortController();
    let closed: Promise<unknown> = Promise.resolve();
    const url = await endpoints.open((_request, response) => {
      closed = once(response, 'close');
      response.writeHead(200, headers).write('begun');
    });
    const { chunks } = await connect({ endpoints: url }).snapshot({ signal: stopping.signal });
    await chunks.next();
    if (how === 'leave') await chunks.return();
    else {
      const rest = assert.rejects(chunks.next(), { name: 'AbortError' });
      stopping.abort();
      await rest;
    }
    await closed;
  }
});

test('snapshot: an answer of another type is none, and nobody to answer is an error', async () => {
  const page: RequestListener = (_request, response) =>
    void response.writeHead(200, { 'content-type': 'text/html' }).end('<p>hello');
  const wrong = connect({ endpoints: await endpoints.open(page) });
  assert.equal((await rejection(wrong.snapshot())).code, 'bad_request');
  assert.equal((await rejection(connect({ endpoints: await endpoints.open(hangUp) }).snapshot())).code, 'unavailable');
});
