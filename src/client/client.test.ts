import assert from 'node:assert/strict';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { afterEach, test } from 'node:test';
import { BalsaError, connect } from './index.ts';
import { Endpoints, hangUp, inTurn, json, problem, rejection } from './testing/endpoint.ts';

/** Against real members the client is tested through the command line. */
const endpoints = new Endpoints();
afterEach(() => endpoints.closeAll());

const endpoint = (answer: RequestListener): Promise<string> => endpoints.open(answer);
const closedEndpoint = (): Promise<string> => endpoints.closed();

const put = json({ key: 'k', revision: 2, createRevision: 2, version: 1 }, 201);
const get: RequestListener = (_request, response) => {
  response.writeHead(200, { etag: '"7"', 'balsa-create-revision': '3', 'balsa-version': '4' }).end('value');
};

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
    const balsa = connect({ endpoints: [await endpoint(problem(code)), await endpoint(put)] });
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
    connect({ endpoints: [await endpoint(problem('outcome_unknown')), counting] }).put('k', 'v'),
  );
  assert.equal(unknown.code, 'outcome_unknown');
  assert.equal(further, 0);
});

test('failover: a read goes to the next endpoint whatever became of the first', async () => {
  for (const first of [
    await closedEndpoint(),
    await endpoint(hangUp),
    await endpoint(problem('no_leader')),
    await endpoint(problem('internal')),
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
  for (const code of ['bad_request', 'precondition_failed', 'too_large'] as const) {
    const reason = await rejection(connect({ endpoints: [await endpoint(problem(code)), counting] }).put('k', 'v'));
    assert.equal(reason.code, code);
  }
  assert.equal(further, 0);
});

test('failover: the endpoint that answered goes first the next time', async () => {
  let firstAsked = 0;
  const first = await endpoint((request, response) => {
    firstAsked += 1;
    problem('unavailable')(request, response);
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
    connect({ endpoints: await endpoint(problem('precondition_failed', { modRevision: 5 })) }).put('k', 'v', {
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
  const balsa = connect({ endpoints: await endpoint(problem('key_not_found')) });
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

const applied = json({ key: 'k', revision: 7, createRevision: 7, version: 1 });

test('idempotency: a write with a key is sent again with it until its outcome is known', async () => {
  const keys: unknown[] = [];
  const recorded =
    (answer: RequestListener): RequestListener =>
    (request, response) => {
      keys.push(request.headers['idempotency-key']);
      answer(request, response);
    };
  for (const lost of [hangUp, problem('outcome_unknown'), problem('internal')]) {
    const alone = connect({ endpoints: await endpoint(recorded(inTurn(lost, lost, applied))) });
    assert.equal((await alone.put('k', 'v', { idempotencyKey: 'job-1' })).revision, 7);
    const several = connect({ endpoints: [await endpoint(recorded(lost)), await endpoint(recorded(applied))] });
    assert.equal((await several.put('k', 'v', { idempotencyKey: 'job-1' })).revision, 7);
  }
  assert.deepEqual(
    keys,
    Array.from({ length: 15 }, () => 'job-1'),
  );
});

test('idempotency: the answer to a later attempt is that of the write, if it was decided in the log', async () => {
  const balsa = connect({ endpoints: await endpoint(inTurn(hangUp, problem('precondition_failed'))) });
  const reason = await rejection(balsa.put('k', 'v', { ifAbsent: true, idempotencyKey: 'job-1' }));
  assert.equal(reason.code, 'precondition_failed');
});

test('idempotency: a later attempt that did not happen says nothing of one that perhaps did', async () => {
  for (const last of [problem('too_many_requests'), problem('bad_request')]) {
    const balsa = connect({ endpoints: await endpoint(inTurn(hangUp, last)) });
    const reason = await rejection(balsa.put('k', 'v', { idempotencyKey: 'job-1' }));
    assert.equal(reason.code, 'outcome_unknown');
    assert.match(reason.detail, /Send it again with the same idempotency key/);
  }
  // No leader for as long as the client waits.
  const balsa = connect({ endpoints: await endpoint(inTurn(hangUp, problem('no_leader'))), timeoutMs: 100 });
  assert.equal((await rejection(balsa.delete('k', { idempotencyKey: 'job-1' }))).code, 'outcome_unknown');
});

test('idempotency: a write that certainly did not happen fails at once, as without a key', async () => {
  const balsa = connect({ endpoints: await closedEndpoint() });
  assert.equal((await rejection(balsa.put('k', 'v', { idempotencyKey: 'job-1' }))).code, 'unavailable');
});

test('idempotency: a key that a header cannot carry is refused before anything is sent', async () => {
  const balsa = connect({ endpoints: await endpoint(() => assert.fail('was sent')) });
  for (const idempotencyKey of ['', 'ä', 'a,b', 'a b', 'a\n', 'x'.repeat(257)]) {
    const reason = await rejection(balsa.put('k', 'v', { idempotencyKey }));
    assert.equal(reason.code, 'bad_request');
  }
});

test('requests: leases, the past and the bounds of a list are sent as the API takes them', async () => {
  const lines: string[] = [];
  const recorder = await endpoint((request, response) => {
    lines.push(`${request.method} ${request.url?.replace(/.timeout=\d+ms/, '')}`);
    if (request.url?.startsWith('/v1/kv/k') && request.method === 'GET') {
      response.writeHead(200, { etag: '"7"', 'balsa-lease': '00000000000000ff' }).end('v');
    } else json({ revision: 9, kvs: [], count: 4, more: false })(request, response);
  });
  const balsa = connect({ endpoints: recorder });
  await balsa.put('k', 'v', { lease: 255n, previous: true });
  assert.equal((await balsa.get('k', { revision: 5 }))?.lease, 255n);
  assert.deepEqual(await balsa.count({ prefix: 'a', revision: 5 }), { count: 4, revision: 9 });
  const bounds = { minModRevision: 1, maxModRevision: 2, minCreateRevision: 3, maxCreateRevision: 4 };
  for await (const _ of balsa.list({ revision: 5, sort: 'value', ...bounds })) assert.fail('no keys were listed');
  assert.deepEqual(await balsa.compact(8), { revision: 9 });
  assert.deepEqual(lines, [
    'PUT /v1/kv/k?prevKv=true&encoding=base64&lease=00000000000000ff',
    'GET /v1/kv/k?revision=5',
    'GET /v1/kv?revision=5&prefix=a&countOnly=true',
    'GET /v1/kv?revision=5&prefix=&encoding=base64&sort=value' +
      '&minModRevision=1&maxModRevision=2&minCreateRevision=3&maxCreateRevision=4&limit=10000',
    'POST /v1/compact',
  ]);
});
