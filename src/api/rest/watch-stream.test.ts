import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { BalsaError } from '../../contract/errors.ts';
import { batchOf, deleteEvent, putEvent, startWatchApp } from './testing/scripted-watch.ts';
import { WatchClient } from './testing/watch-client.ts';

const ndjson = { accept: 'application/x-ndjson' };
const putJson = { createRevision: 2, version: 3 };

test('watch stream: headers at once, and the revision that the events come after', async (t) => {
  const api = await startWatchApp(t);
  await using client = await WatchClient.open(api.url, 'prefix=a/');
  assert.equal(client.status, 200);
  const { headers } = client;
  assert.equal(headers['content-type'], 'text/event-stream');
  assert.equal(headers['cache-control'], 'no-store');
  assert.equal(headers['x-accel-buffering'], 'no');
  assert.equal(headers['x-content-type-options'], 'nosniff');
  assert.equal(headers['content-encoding'], undefined);
  assert.equal(headers['access-control-allow-origin'], undefined);
  assert.equal(headers['balsa-revision'], '7');
  assert.equal(headers['balsa-member'], '8e9e05c52164694d');
  // The id makes a browser that loses its connection now go on after revision 7, and not from wherever it is then.
  assert.deepEqual(await client.next(), { type: 'progress', id: '7', data: { revision: 7 } });
});

test('watch stream: one message for all events of a revision, with the revision as its id', async (t) => {
  const api = await startWatchApp(t);
  await using client = await WatchClient.open(api.url, 'prefix=a/&prevKv');
  const { sink } = await api.nextWatch();
  const before = { ...putEvent('a/2', 'old', 5).kv, lease: 0x1an };
  assert.ok(
    sink.onBatch(batchOf(8, [putEvent('a/1', 'line\nline', 8), { ...deleteEvent('a/2', 8), previous: before }])),
  );
  assert.deepEqual(await client.nextChange(), {
    type: 'change',
    id: '8',
    data: {
      revision: 8,
      events: [
        { type: 'put', kv: { key: 'a/1', value: 'line\nline', modRevision: 8, ...putJson } },
        {
          type: 'delete',
          kv: { key: 'a/2', modRevision: 8 },
          prevKv: { key: 'a/2', value: 'old', modRevision: 5, lease: '000000000000001a', ...putJson },
        },
      ],
    },
  });
});

test('watch stream: NDJSON: the same, an object a line', async (t) => {
  const api = await startWatchApp(t);
  await using client = await WatchClient.open(api.url, 'prefix=a/', ndjson);
  assert.equal(client.headers['content-type'], 'application/x-ndjson');
  const { sink } = await api.nextWatch();
  assert.deepEqual(await client.next(), { type: 'progress', id: undefined, data: { revision: 7 } });
  sink.onBatch(batchOf(8, [putEvent('a/1', Buffer.of(0xff), 8)]));
  assert.deepEqual(await client.nextChange(), {
    type: 'change',
    id: undefined,
    data: {
      revision: 8,
      events: [{ type: 'put', kv: { key: 'a/1', valueBase64: '/w==', modRevision: 8, ...putJson } }],
    },
  });
});

test('watch stream: encoding=base64', async (t) => {
  const api = await startWatchApp(t);
  await using client = await WatchClient.open(api.url, 'key=a&encoding=base64', ndjson);
  const { sink } = await api.nextWatch();
  sink.onBatch(batchOf(8, [deleteEvent('a', 8)]));
  const { data } = await client.nextChange();
  assert.deepEqual(data['events'], [{ type: 'delete', kv: { keyBase64: 'YQ==', modRevision: 8 } }]);
});

test('watch stream: watchers of one format share one encoding', async (t) => {
  const api = await startWatchApp(t);
  const batch = batchOf(8, [putEvent('a', 'b', 8)]);
  for (const accept of ['text/event-stream', '*/*', 'application/x-ndjson', 'application/x-ndjson']) {
    await using client = await WatchClient.open(api.url, 'prefix=a', { accept });
    (await api.nextWatch()).sink.onBatch(batch);
    await client.nextChange();
  }
  assert.equal(batch.encodings(), 2);
});

test('watch stream: what is told before the answer has begun comes after its headers', async (t) => {
  const api = await startWatchApp(t, {}, (sink) => {
    assert.equal(sink.onBatch(batchOf(5, [putEvent('a', 'b', 5)])), false, 'one is held, and no more wanted');
  });
  await using client = await WatchClient.open(api.url, 'prefix=a&revision=3');
  const watch = await api.nextWatch();
  assert.deepEqual((await client.next()).data, { revision: 2 });
  assert.equal((await client.next()).id, '5');
  assert.equal(watch.resumes(), 1);
});

test('watch stream: progress: says how far everything has been told, while nothing is', async (t) => {
  const api = await startWatchApp(t);
  await using client = await WatchClient.open(api.url, 'prefix=a&progress=100ms');
  const { sink } = await api.nextWatch();
  assert.deepEqual((await client.next()).data, { revision: 7 });
  assert.deepEqual((await client.next()).data, { revision: 7 });
  sink.onProgress(12);
  for (;;) {
    const { type, id } = await client.next();
    assert.equal(type, 'progress');
    if (id === '12') break;
  }
});

test('watch stream: lives longer than a connection may be idle', async (t) => {
  const api = await startWatchApp(t, { idleTimeoutMs: 300 });
  await using client = await WatchClient.open(api.url, 'prefix=a');
  const { sink } = await api.nextWatch();
  // One each 100 ms.
  for (let i = 0; i < 8; i++) assert.equal((await client.next()).type, 'progress');
  sink.onBatch(batchOf(8, [putEvent('a', 'b', 8)]));
  assert.equal((await client.nextChange()).id, '8');
});

for (const [name, headers] of [
  ['event stream', {}],
  ['NDJSON', ndjson],
] as const) {
  test(`watch stream: ${name}: compacted: says from where on there is something, and ends`, async (t) => {
    const error = new BalsaError('compacted', 'It is gone.', { extras: { compactRevision: 5 } });
    const api = await startWatchApp(t, {}, (sink) => sink.onEnd(error));
    await using client = await WatchClient.open(api.url, 'prefix=a&revision=3', headers);
    const { type, id, data } = await client.next();
    assert.deepEqual([type, id, data['compactRevision']], ['compacted', undefined, 5]);
    const problem = (data['problem'] ?? data) as Record<string, unknown>;
    assert.deepEqual([problem['code'], problem['detail']], ['compacted', 'It is gone.']);
    await client.ended();
  });

  test(`watch stream: ${name}: another end: an error, and the end`, async (t) => {
    const api = await startWatchApp(t);
    await using client = await WatchClient.open(api.url, 'prefix=a', headers);
    const { sink, closed } = await api.nextWatch();
    sink.onEnd(new BalsaError('no_leader', 'Nobody leads.'));
    const { type, id, data } = await client.nextChange();
    assert.deepEqual([type, id], ['error', undefined]);
    const problem = (data['problem'] ?? data) as Record<string, unknown>;
    assert.deepEqual([problem['code'], problem['status'], problem['retryable']], ['no_leader', 503, true]);
    await client.ended();
    await closed;
  });
}

test('watch stream: a client that goes away: the watch is closed', async (t) => {
  const api = await startWatchApp(t);
  const client = await WatchClient.open(api.url, 'prefix=a');
  const { closed } = await api.nextWatch();
  await client[Symbol.asyncDispose]();
  await closed;
});

test('watch stream: a client that goes away before the watch has begun: it is told to stop, and closed', async (t) => {
  let begin: () => void = () => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const api = await startWatchApp(t, {}, () => begun);
  const connection = await api.client.connect();
  connection.send('GET /v1/watch?prefix=a HTTP/1.1\r\nhost: x\r\n\r\n');
  const { options, closed } = await api.nextWatch();
  const aborted = new Promise((resolve) => options.signal?.addEventListener('abort', resolve));
  connection.close();
  await aborted;
  begin();
  await closed;
});

test('watch stream: a client that does not read: told no more, until it reads again', async (t) => {
  const api = await startWatchApp(t);
  const connection = await api.client.connect();
  connection.send('GET /v1/watch?prefix=a HTTP/1.1\r\nhost: x\r\n\r\n');
  const watch = await api.nextWatch();
  await connection.until('event: progress');
  connection.socket.pause();
  const value = 'v'.repeat(64 * 1024);
  let revision = 8;
  const tellUntilFull = async (): Promise<void> => {
    while (watch.sink.onBatch(batchOf(revision, [putEvent('a', value, revision)]))) {
      revision++;
      // Let the socket take what it can.
      await new Promise(setImmediate);
    }
  };
  for (;;) {
    const before = watch.resumes();
    await tellUntilFull();
    // What the kernel takes at once is drained at once; then nothing moves until the client reads.
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    if (watch.resumes() === before) break;
    revision++;
  }
  assert.ok(revision < 1000, `${revision} batches of 64 KiB went to a client that does not read`);
  const resumed = watch.resumed();
  connection.socket.resume();
  await resumed;
  await connection.until(`event: change\ndata: {"revision":${revision},`);
  connection.close();
});

test('watch stream: a client that does not read: little waits for it in memory', async (t) => {
  const api = await startWatchApp(t);
  const sockets: Socket[] = [];
  api.server.on('connection', (socket: Socket) => sockets.push(socket));
  const connection = await api.client.connect();
  connection.send('GET /v1/watch?prefix=a HTTP/1.1\r\nhost: x\r\n\r\n');
  const watch = await api.nextWatch();
  await connection.until('event: progress');
  connection.socket.pause();
  const value = 'v'.repeat(1000);
  let isFull = false;
  for (let revision = 8, turns = 0; turns < 20; revision++) {
    // As the store does: one that was full is told no more until it resumes.
    const before = watch.resumes();
    isFull = !watch.sink.onBatch(batchOf(revision, [putEvent('a', value, revision)]));
    for (turns = 0; isFull && turns < 20 && watch.resumes() === before; turns++) await new Promise(setImmediate);
  }
  assert.ok(isFull);
  const waiting = sockets.reduce((sum, { writableLength }) => sum + writableLength, 0);
  assert.ok(waiting > 0 && waiting < 8 * 1024, `${waiting} bytes wait`);
  connection.close();
});

test('watch stream: a client that never reads again: its connection ends, and the watch with it', async (t) => {
  const api = await startWatchApp(t, { idleTimeoutMs: 300 });
  const connection = await api.client.connect();
  connection.socket.pause();
  connection.send('GET /v1/watch?prefix=a HTTP/1.1\r\nhost: x\r\n\r\n');
  const watch = await api.nextWatch();
  const batch = batchOf(8, [putEvent('a', 'v'.repeat(32 * 1024 * 1024), 8)]);
  watch.sink.onBatch(batch);
  await watch.closed;
  assert.equal(watch.sink.onBatch(batch), false);
  connection.close();
});

test('watch stream: a member that stops says so to its watchers, and does not wait for them', async (t) => {
  const api = await startWatchApp(t);
  await using client = await WatchClient.open(api.url, 'prefix=a', ndjson);
  const { closed } = await api.nextWatch();
  await client.next();
  const stopped = api.close();
  const { type, data } = await client.nextChange();
  assert.equal(type, 'error');
  assert.equal((data['problem'] as Record<string, unknown>)['code'], 'unavailable');
  await client.ended();
  await closed;
  await stopped;
});

test('watch stream: HEAD: the headers, and no watch', async (t) => {
  const api = await startWatchApp(t);
  const answer = await api.client.call('HEAD /v1/watch?prefix=a');
  assert.equal(answer.status, 200);
  assert.equal(answer.headers['content-type'], 'text/event-stream');
  assert.equal(answer.bytes.length, 0);
});

test('watch stream: a failure before it begins is a problem like any other', async (t) => {
  const api = await startWatchApp(t, {}, () => {
    throw new BalsaError('too_many_requests', 'There are too many watches.');
  });
  const answer = await api.client.call('GET /v1/watch?prefix=a');
  assert.equal(answer.status, 429);
  assert.equal(answer.json()['code'], 'too_many_requests');
});
