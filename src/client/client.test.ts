import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, test } from 'node:test';
import { BalsaError, connect, type ErrorCode } from './index.ts';

/**
 * What the client does with endpoints that fail in a certain way: each test's endpoints are scripted servers, because no
 * real member breaks a connection on demand. Against real members the client is tested through the command line.
 */
const opened: (() => void)[] = [];
afterEach(() => {
  for (const close of opened.splice(0)) close();
});

async function endpoint(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  opened.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Nothing listens there any more. */
async function closedEndpoint(): Promise<string> {
  const url = await endpoint(() => undefined);
  opened.pop()?.();
  return url;
}

const put: RequestListener = (request, response) => {
  request.resume();
  request.on('end', () => response.writeHead(201).end('{"key":"k","revision":2,"createRevision":2,"version":1}'));
};
const get: RequestListener = (_request, response) => {
  response.writeHead(200, { etag: '"7"', 'balsa-create-revision': '3', 'balsa-version': '4' }).end('value');
};
const hangUp: RequestListener = (request) => request.socket.destroy();
const problem =
  (status: number, code: ErrorCode, extras: object = {}): RequestListener =>
  (_request, response) =>
    response
      .writeHead(status, { 'content-type': 'application/problem+json', 'balsa-revision': '9' })
      .end(JSON.stringify({ code, detail: `It is ${code}.`, status, ...extras }));

async function rejection(promise: Promise<unknown>): Promise<BalsaError> {
  const reason = await promise.then(
    () => assert.fail('did not reject'),
    (rejected: unknown) => rejected,
  );
  assert.ok(reason instanceof BalsaError, String(reason));
  return reason;
}

test('failover: a write goes to the next endpoint when no connection was made', async () => {
  const balsa = connect({ endpoints: [await closedEndpoint(), await endpoint(put)] });
  assert.deepEqual(await balsa.put('k', 'v'), {
    revision: 2,
    createRevision: 2,
    version: 1,
    created: true,
    previous: undefined,
  });
});

test('failover: a write goes to the next endpoint when the first says that it did not happen', async () => {
  for (const code of ['no_leader', 'unavailable'] as const) {
    const balsa = connect({ endpoints: [await endpoint(problem(503, code)), await endpoint(put)] });
    assert.equal((await balsa.put('k', 'v')).revision, 2);
  }
});

test('failover: a write that was sent and not answered is never sent again', async () => {
  let further = 0;
  const counting = await endpoint((request, response) => {
    further += 1;
    put(request, response);
  });
  const lost = await rejection(connect({ endpoints: [await endpoint(hangUp), counting] }).put('k', 'v'));
  assert.equal(lost.code, 'outcome_unknown');
  assert.equal(lost.kind.definite, false);
  const unknown = await rejection(
    connect({ endpoints: [await endpoint(problem(504, 'outcome_unknown')), counting] }).put('k', 'v'),
  );
  assert.equal(unknown.code, 'outcome_unknown');
  assert.equal(further, 0);
});

test('failover: a read goes to the next endpoint whatever became of the first', async () => {
  for (const first of [
    await closedEndpoint(),
    await endpoint(hangUp),
    await endpoint(problem(503, 'no_leader')),
    await endpoint(problem(500, 'internal')),
  ]) {
    const kv = await connect({ endpoints: [first, await endpoint(get)] }).get('k');
    assert.deepEqual(kv && { ...kv, key: String(Buffer.from(kv.key)), value: String(Buffer.from(kv.value)) }, {
      key: 'k',
      value: 'value',
      modRevision: 7,
      createRevision: 3,
      version: 4,
    });
  }
});

test('failover: a refusal of the request itself is not tried elsewhere', async () => {
  let further = 0;
  const counting = await endpoint(() => {
    further += 1;
  });
  for (const [status, code] of [
    [400, 'bad_request'],
    [412, 'precondition_failed'],
    [413, 'too_large'],
  ] as const) {
    const reason = await rejection(
      connect({ endpoints: [await endpoint(problem(status, code)), counting] }).put('k', 'v'),
    );
    assert.equal(reason.code, code);
  }
  assert.equal(further, 0);
});

test('failover: the endpoint that answered goes first the next time', async () => {
  let firstAsked = 0;
  const first = await endpoint((request, response) => {
    firstAsked += 1;
    problem(503, 'unavailable')(request, response);
  });
  const balsa = connect({ endpoints: [first, await endpoint(get)] });
  await balsa.get('k');
  await balsa.get('k');
  assert.equal(firstAsked, 1);
});

test('failover: when every endpoint fails, the error tells of each', async () => {
  const [one, other] = [await closedEndpoint(), await closedEndpoint()];
  const reason = await rejection(connect({ endpoints: [one, other] }).get('k'));
  assert.equal(reason.code, 'unavailable');
  assert.ok(reason.detail.includes(one) && reason.detail.includes(other), reason.detail);
});

test('errors: code, detail and extras are those of the answer', async () => {
  const reason = await rejection(
    connect({ endpoints: await endpoint(problem(412, 'precondition_failed', { modRevision: 5 })) }).put('k', 'v', {
      ifMatch: 4,
    }),
  );
  assert.equal(reason.code, 'precondition_failed');
  assert.equal(reason.detail, 'It is precondition_failed.');
  assert.deepEqual(reason.extras, { modRevision: 5 });
});

test('errors: an answer that is not of Balsa is told as that', async () => {
  const proxy = await endpoint((_request, response) =>
    response.writeHead(403, { 'content-type': 'text/html' }).end('<html>'),
  );
  const reason = await rejection(connect({ endpoints: proxy }).get('k'));
  assert.match(reason.detail, /answered 403 Forbidden, which is not an answer of Balsa/);
});

test('errors: a missing key is no error', async () => {
  const balsa = connect({ endpoints: await endpoint(problem(404, 'key_not_found')) });
  assert.equal(await balsa.get('k'), undefined);
  assert.deepEqual(await balsa.delete('k'), { deleted: 0, revision: 9, previous: undefined });
});

test('errors: a caller that gives up gets an error, and no other endpoint is asked', async () => {
  const giveUp = new AbortController();
  const balsa = connect({ endpoints: [await endpoint(() => giveUp.abort()), await endpoint(get)] });
  assert.equal((await rejection(balsa.get('k', { signal: giveUp.signal }))).code, 'unavailable');
});

test('time: a read that a silent endpoint does not answer still has time for the next one', async () => {
  const asked: string[] = [];
  const silent = await endpoint((request) => {
    asked.push(new URL(request.url ?? '', 'http://host').searchParams.get('timeout') ?? '');
  });
  const balsa = connect({ endpoints: [silent, await endpoint(get)], timeoutMs: 100 });
  assert.equal((await balsa.get('k'))?.modRevision, 7);
  assert.deepEqual(asked, ['50ms']);
});

test('requests: conditions, options and bytes are sent as the API takes them', async () => {
  const seen: { line: string; headers: IncomingMessage['headers']; body: string }[] = [];
  const recorder = await endpoint((request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      seen.push({
        line: `${request.method} ${request.url?.replace(/timeout=\d+ms/, 'timeout=…')}`,
        headers: request.headers,
        body: Buffer.concat(chunks).toString(),
      });
      response.writeHead(200).end('{"revision":1,"kvs":[],"count":0,"more":false}');
    });
  });
  const balsa = connect({ endpoints: recorder });
  await balsa.put('a/b', 'v', { ifMatch: 7, previous: true });
  await balsa.put('k', '', { ifAbsent: true });
  await balsa.get('k', { consistency: { maxStalenessMs: 500 } });
  await balsa.delete('k', { ifMatch: '*' });
  await balsa.deletePrefix('a/');
  await balsa.deleteRange({});
  await balsa.count({ start: Uint8Array.of(0xff), end: 'b' });
  for await (const _ of balsa.list({ prefix: 'a+', keysOnly: true, sort: 'version', order: 'desc', limit: 3 }))
    assert.fail('no keys were listed');

  assert.deepEqual(
    seen.map(({ line }) => line),
    [
      'PUT /v1/kv/a%2Fb?prevKv=true&encoding=base64&timeout=…',
      'PUT /v1/kv/k?timeout=…',
      'GET /v1/kv/k?consistency=bounded&maxStaleness=500ms&timeout=…',
      'DELETE /v1/kv/k?timeout=…',
      'DELETE /v1/kv?prefix=a%2F&timeout=…',
      'DELETE /v1/kv?start=%00&timeout=…',
      'GET /v1/kv?start=%FF&end=b&countOnly=true&timeout=…',
      'GET /v1/kv?prefix=a%2B&encoding=base64&keysOnly=true&sort=version&order=desc&limit=3&timeout=…',
    ],
  );
  assert.equal(seen[0]?.headers['if-match'], '"7"');
  assert.equal(seen[0]?.body, 'v');
  assert.equal(seen[1]?.headers['if-none-match'], '*');
  assert.equal(seen[3]?.headers['if-match'], '*');
});

test('list: pages are asked of the endpoint that began the list, up to the limit', async () => {
  const page = (from: number, count: number, next?: string): string =>
    JSON.stringify({
      revision: 9,
      count: 5,
      more: next !== undefined,
      next,
      kvs: Array.from({ length: count }, (_, i) => ({
        keyBase64: btoa(`k${from + i}`),
        valueBase64: '',
        createRevision: 1,
        modRevision: 1,
        version: 1,
      })),
    });
  const urls: string[] = [];
  const pages = await endpoint((request, response) => {
    urls.push(request.url ?? '');
    response.end(request.url?.includes('after=') ? page(2, 1, 'c+2') : page(0, 2, 'c+1'));
  });
  const balsa = connect({ endpoints: [await closedEndpoint(), pages] });
  const keys: string[] = [];
  for await (const { key } of balsa.list({ prefix: 'k', limit: 3, pageSize: 2 }))
    keys.push(Buffer.from(key).toString());
  assert.deepEqual(keys, ['k0', 'k1', 'k2']);
  assert.match(urls[0] ?? '', /prefix=k&.*limit=2&/);
  assert.match(urls[1] ?? '', /after=c%2B1&limit=1&/);
  assert.equal(urls.length, 2);
});

test('list: a sorted list that does not fit into one page says so in place of ending early', async () => {
  const cut = await endpoint((_request, response) => response.end('{"revision":1,"kvs":[],"count":20000,"more":true}'));
  const reason = await rejection(connect({ endpoints: cut }).list({ sort: 'version' }).next());
  assert.equal(reason.code, 'too_large');
});

test('delete: an empty prefix is refused before it is sent', async () => {
  const balsa = connect({ endpoints: await endpoint(put) });
  assert.equal((await rejection(balsa.deletePrefix(''))).code, 'bad_request');
});

test('connect: what is no URL is refused at once', () => {
  for (const endpoints of ['localhost:2379', 'ftp://host', '', []]) {
    assert.throws(
      () => connect({ endpoints }),
      (reason) => reason instanceof BalsaError && reason.code === 'bad_request',
    );
  }
});
