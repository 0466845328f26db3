import assert from 'node:assert/strict';
import { once } from 'node:events';
import { afterEach, test } from 'node:test';
import { type BalsaError, connect, type Watch, type WatchBatch } from './index.ts';
import { Endpoints, hangUp, inTurn, problem, rejection } from './testing/endpoint.ts';
import { WatchServer } from './testing/watch-server.ts';

const endpoints = new Endpoints();
afterEach(() => endpoints.closeAll());

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

/** `7 a=1 b=2`: the revision and what it put. */
function lineOf({ revision, events }: WatchBatch): string {
  return [revision, ...events.map(({ kv }) => `${text(kv.key)}=${text(kv.value)}`)].join(' ');
}

async function take(watch: Watch, count: number): Promise<string[]> {
  const lines: string[] = [];
  while (lines.length < count) {
    const { value } = await watch.next();
    assert.ok(value !== undefined, 'the watch ended');
    lines.push(lineOf(value));
  }
  return lines;
}

test('watch: a batch for each revision, with all its events, from a past revision on', async () => {
  const server = new WatchServer();
  server.put(['a', '1'], ['b', '2']);
  server.put(['a', '3']);
  const watch = connect({ endpoints: await endpoints.open(server.answer) }).watch({ prefix: '', revision: 2 });
  assert.deepEqual(await take(watch, 2), ['2 a=1 b=2', '3 a=3']);
  server.put(['c', '4']);
  assert.deepEqual(await take(watch, 1), ['4 c=4']);
  await watch.return();
});

test('watch: what is asked for is sent as the API takes it', async () => {
  const server = new WatchServer();
  const balsa = connect({ endpoints: await endpoints.open(server.answer) });
  for (const options of [
    { key: 'a+b' },
    { start: 'a', end: 'b' },
    {},
    { prefix: 'a/', revision: 5, previous: true, filter: 'put', progressMs: 500 },
  ] as const) {
    const opened = once(server, 'opened');
    await using watch = balsa.watch(options);
    void watch.next();
    await opened;
  }
  const shown = server.asked.map((query) => Object.fromEntries([...query].filter(([name]) => name !== 'timeout')));
  assert.deepEqual(shown, [
    { key: 'a+b', progress: '10000ms' },
    { start: 'a', end: 'b', progress: '10000ms' },
    { prefix: '', progress: '10000ms' },
    { prefix: 'a/', revision: '5', prevKv: 'true', filter: 'put', progress: '500ms' },
  ]);
});

test('watch: deletions and what was there before are told', async () => {
  const server = new WatchServer();
  const watch = connect({ endpoints: await endpoints.open(server.answer) }).watch({ key: 'a', previous: true });
  const batch = watch.next();
  await once(server, 'opened');
  const prevKv = { key: 'a', value: '1', createRevision: 2, modRevision: 2, version: 1 };
  server.tell({ type: 'change', revision: 3, events: [{ type: 'delete', kv: { key: 'a', modRevision: 3 }, prevKv }] });
  const [event] = (await batch).value?.events ?? [];
  assert.equal(event?.type, 'delete');
  assert.deepEqual([text(event.kv.key), event.kv.modRevision, event.kv.value.length], ['a', 3, 0]);
  assert.equal(text(event.previous?.value ?? Uint8Array.of()), '1');
  await watch.return();
});

test('watch: resumes on another endpoint, without a gap or a duplicate, whatever broke the stream', async () => {
  const server = new WatchServer();
  const balsa = connect({ endpoints: [await endpoints.open(server.answer), await endpoints.open(server.answer)] });
  const reasons: string[] = [];
  const watch = balsa.watch({ prefix: '', onInterrupted: ({ code }) => reasons.push(code) });
  const first = take(watch, 1);
  await once(server, 'opened');
  server.put(['a', '0']);
  assert.deepEqual(await first, ['2 a=0']);

  const unavailable = { code: 'unavailable', detail: 'It stops.' };
  const breaks = [
    () => server.break(),
    () => server.end({ type: 'error', problem: { code: 'no_leader', detail: 'Nobody leads.' } }),
    () => server.end({ type: 'error', ...unavailable }),
    () => server.end({ type: 'progress', revision: server.revision }),
  ];
  for (const [i, cut] of breaks.entries()) {
    server.put(['b', `${i}`]);
    const next = take(watch, 2);
    cut();
    await once(server, 'closed');
    // While nobody listens.
    server.put(['c', `${i}`]);
    const revision = 3 + 2 * i;
    assert.deepEqual(await next, [`${revision} b=${i}`, `${revision + 1} c=${i}`]);
  }
  assert.deepEqual(reasons, ['unavailable', 'no_leader', 'unavailable', 'unavailable']);
  await watch.return();
});

test('watch: the endpoint that broke is asked last, and one that is down is passed over', async () => {
  const [one, other] = [new WatchServer(), new WatchServer()];
  const urls = [await endpoints.open(one.answer), await endpoints.closed(), await endpoints.open(other.answer)];
  const watch = connect({ endpoints: urls }).watch({ prefix: '' });
  const batch = take(watch, 1);
  await once(one, 'opened');
  one.break();
  await once(other, 'opened');
  other.put(['a', '1']);
  assert.deepEqual(await batch, ['2 a=1']);
  assert.equal(one.asked.length, 1);
  await watch.return();
});

test('watch: progress moves the place from which it resumes', async () => {
  const server = new WatchServer();
  const progress: number[] = [];
  const watch = connect({ endpoints: await endpoints.open(server.answer) }).watch({
    prefix: 'a',
    onProgress: (revision) => progress.push(revision),
  });
  const next = take(watch, 1);
  await once(server, 'opened');
  server.skip();
  server.skip();
  server.tell({ type: 'progress', revision: server.revision });
  // What is asked for again has been forgotten since, which would end a watch that asked from its beginning.
  server.compact(4);
  server.break();
  await once(server, 'opened');
  server.put(['a', '1']);
  assert.deepEqual(await next, ['4 a=1']);
  assert.deepEqual(
    server.asked.map((query) => query.get('revision')),
    [null, '4'],
  );
  assert.deepEqual(progress, [1, 3, 3]);
  assert.equal(watch.nextRevision, 5);
  await watch.return();
});

test('watch: a stream that has gone silent is taken for broken', async () => {
  const server = new WatchServer();
  const balsa = connect({ endpoints: await endpoints.open(server.answer) });
  const interrupted = new Promise<BalsaError>((resolve) => {
    const watch = balsa.watch({
      progressMs: 10,
      onInterrupted: (reason) => {
        resolve(reason);
        void watch.return();
      },
    });
    void watch.next();
  });
  assert.match((await interrupted).detail, /has been silent for 30 ms/);
});

test('watch: ends with an error when its revisions are compacted', async () => {
  const server = new WatchServer();
  server.put(['a', '1']);
  server.put(['a', '2']);
  server.compact(3);
  const watch = connect({ endpoints: await endpoints.open(server.answer) }).watch({ revision: 2 });
  const reason = await rejection(watch.next());
  assert.equal(reason.code, 'compacted');
  assert.deepEqual(reason.extras, { compactRevision: 3 });
  assert.deepEqual(await watch.next(), { value: undefined, done: true });
});

test('watch: ends with an error that no other endpoint can mend, also while it resumes', async () => {
  const server = new WatchServer();
  const url = await endpoints.open(inTurn(server.answer, problem('no_leader'), hangUp, problem('bad_request')));
  const watch = connect({ endpoints: url }).watch({ prefix: '' });
  const end = rejection(watch.next());
  await once(server, 'opened');
  server.break();
  assert.equal((await end).code, 'bad_request');
});

test('watch: fails when no endpoint takes it at first', async () => {
  const none = connect({ endpoints: [await endpoints.closed(), await endpoints.open(problem('no_leader'))] });
  assert.equal((await rejection(none.watch().next())).code, 'no_leader');
  const page = await endpoints.open((_request, response) => response.end('<html>'));
  assert.match((await rejection(connect({ endpoints: page }).watch().next())).detail, /not an answer of Balsa/);
});

test('watch: closes its connection when it is left, closed while it waits, or aborted', async () => {
  const server = new WatchServer();
  const balsa = connect({ endpoints: await endpoints.open(server.answer) });
  server.put(['a', '1']);

  for await (const batch of balsa.watch({ revision: 2 })) {
    assert.equal(batch.revision, 2);
    break;
  }
  await untilClosed(server);

  const waiting = balsa.watch();
  const next = waiting.next();
  await once(server, 'opened');
  assert.deepEqual(await waiting.return(), { value: undefined, done: true });
  assert.deepEqual(await next, { value: undefined, done: true });
  await untilClosed(server);

  const giveUp = new AbortController();
  const end = balsa.watch({ signal: giveUp.signal }).next();
  await once(server, 'opened');
  giveUp.abort();
  assert.deepEqual(await end, { value: undefined, done: true });
  await untilClosed(server);
  assert.deepEqual(await balsa.watch({ signal: giveUp.signal }).next(), { value: undefined, done: true });
});

test('watch: what is not taken is not read', async () => {
  const value = 'x'.repeat(256 * 1024);
  const changes = 256;
  let written = 0;
  const url = await endpoints.open((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    response.write('{"type":"progress","revision":1}\n');
    const more = (): void => {
      while (written < changes) {
        written += 1;
        const kv = { key: 'a', value, createRevision: 2, modRevision: written + 1, version: written };
        const line = { type: 'change', revision: written + 1, events: [{ type: 'put', kv }] };
        if (!response.write(`${JSON.stringify(line)}\n`)) break;
      }
      if (written < changes) response.once('drain', more);
    };
    more();
  });
  const watch = connect({ endpoints: url }).watch({ revision: 2 });
  await watch.next();
  const before = await settled(() => written);
  assert.ok(before < changes / 4, `${before} of ${changes} changes were read for a reader that took one`);
  let taken = 1;
  for (; taken < changes; taken += 1) assert.equal((await watch.next()).value?.revision, taken + 2);
  await watch.return();
});

async function untilClosed(server: WatchServer): Promise<void> {
  while (server.streams > 0) await once(server, 'closed');
}

/** The value that no longer changes while the event loop turns. */
async function settled(read: () => number): Promise<number> {
  for (let last = -1, same = 0; ; ) {
    same = read() === last ? same + 1 : 0;
    last = read();
    if (same === 50) return last;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
