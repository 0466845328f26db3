import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Server } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { GetAnswer } from '../../contract/kv.ts';
import type { KvService } from '../../replica/service.ts';
import { KeyConnection, type KeyConnectionHost } from './key-connection.ts';
import type { RequestMetrics } from './request-metrics.ts';
import { created, header } from './testing/answers.ts';
import { HttpClient, type RawConnection } from './testing/http-client.ts';
import { type RunningApp, startApp } from './testing/start-api.ts';

const found = (value: string | Uint8Array): GetAnswer => {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  return { header, kv: { key: Buffer.from('a'), value: bytes, createRevision: 2, modRevision: 2, version: 1 } };
};
/** What the kernel does not take of an answer to a client that does not read. */
const large = Buffer.alloc(16 * 1024 * 1024, 'v');

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

const get = (key: string, line = 'accept: */*'): string => `GET /v1/kv/${key} HTTP/1.1\r\nhost: x\r\n${line}\r\n\r\n`;
const list = 'GET /v1/kv?limit=1 HTTP/1.1\r\nhost: x\r\n\r\n';

interface Watched extends RunningApp {
  /** Requests that Node's server has taken. */
  readonly takenByNode: () => number;
  connect(): Promise<Connected>;
}

/** A connection from both ends. */
interface Connected {
  readonly connection: RawConnection;
  readonly serverSide: Socket;
  /** When the server's end is closed. */
  readonly closed: Promise<void>;
}

async function start(
  t: TestContext,
  service: Partial<KvService>,
  options: Parameters<typeof startApp>[2] = {},
): Promise<Watched> {
  const api = await startApp(t, service, options);
  let taken = 0;
  api.server.on('request', () => taken++);
  const connect: Watched['connect'] = async () => {
    const accepted = once(api.server, 'connection');
    const connection = await api.client.connect();
    t.after(() => connection.close());
    const [serverSide] = (await accepted) as [Socket];
    const closed = new Promise<void>((resolve) => serverSide.once('close', () => resolve()));
    return { connection, serverSide, closed };
  };
  return { ...api, takenByNode: () => taken, connect };
}

/** Sends it, and waits until the server has read it: what is sent next is another piece. */
async function sendPiece(connection: RawConnection, serverSide: Socket, text: string): Promise<void> {
  const bytes = serverSide.bytesRead + text.length;
  connection.send(text);
  while (serverSide.bytesRead < bytes && !serverSide.destroyed) await turn();
  // Read by the system is not yet told to the connection.
  await turn();
}

/** Gets whose answers the test gives, each with the value that it says. */
function heldGets(): {
  readonly get: KvService['get'];
  readonly begun: (key: string) => Promise<(value: string | Uint8Array) => void>;
} {
  const waiting = new Map<string, (value: string | Uint8Array) => void>();
  return {
    get: (key) => new Promise((resolve) => waiting.set(textOf(key), (value) => resolve(found(value)))),
    begun: async (key) => {
      for (;;) {
        const answer = waiting.get(key);
        if (answer !== undefined) return answer;
        await turn();
      }
    },
  };
}

const connections = (server: Server): Promise<number> =>
  new Promise((resolve, reject) => server.getConnections((error, count) => (error ? reject(error) : resolve(count))));

test('key connection: a key, a list and a key again: all are answered, and from the list on by Node', async (t) => {
  const page = { header, readRevision: 5, kvs: [], count: 0, more: false, next: undefined };
  const api = await start(t, { get: async (key) => found(key), range: async () => page });
  const { connection } = await api.connect();
  for (const [request, answer, takenByNode] of [
    [get('first'), 'first', 0],
    [get('second'), 'second', 0],
    [list, '"more":false}\n', 1],
    [get('third'), 'third', 2],
  ] as const) {
    connection.send(request);
    assert.match(await connection.until(answer), /^HTTP\/1\.1 200 OK\r\n/);
    assert.equal(api.takenByNode(), takenByNode);
  }
  await api.close();
  await connection.untilClosed();
});

test('key connection: a list while a key is read: the answers come in order', async (t) => {
  const page = { header, readRevision: 5, kvs: [], count: 0, more: false, next: undefined };
  const held = heldGets();
  const api = await start(t, { get: held.get, range: async () => page });
  const { connection, serverSide } = await api.connect();
  connection.send(get('a'));
  const answer = await held.begun('a');
  await sendPiece(connection, serverSide, list);
  answer('first');
  const received = await connection.until('"count":0');
  assert.match(received, /^HTTP\/1\.1 200 OK\r\n.*\r\n\r\nfirstHTTP\/1\.1 200 OK\r\n.*"count":0$/s);
});

test('key connection: a body that comes in two pieces', async (t) => {
  const values: string[] = [];
  const api = await start(t, {
    put: async ({ value }) => {
      values.push(textOf(value));
      return created;
    },
  });
  const { connection } = await api.connect();
  const taken = once(api.server, 'request');
  connection.send('PUT /v1/kv/a HTTP/1.1\r\nhost: x\r\ncontent-length: 6\r\n\r\nabc');
  await taken;
  assert.deepEqual(values, []);
  connection.send('def');
  await connection.until('201 Created');
  assert.deepEqual(values, ['abcdef']);
});

test('key connection: headers that come in pieces', async (t) => {
  const api = await start(t, { get: async (key) => found(key) });
  const { connection, serverSide } = await api.connect();
  for (const piece of ['G', 'ET /v1/kv/a', 'bc HTTP/1.1\r\nhost: x\r\n', '\r']) {
    await sendPiece(connection, serverSide, piece);
  }
  connection.send('\n');
  await connection.until('\r\n\r\nabc');
  assert.equal(api.takenByNode(), 1);
});

test('key connection: two keys in one piece: the answers come in order', async (t) => {
  const held = heldGets();
  const api = await start(t, { get: held.get });
  const { connection } = await api.connect();
  connection.send(`${get('a')}${get('b')}`);
  const [a, b] = [await held.begun('a'), await held.begun('b')];
  b('second');
  a('first');
  assert.match(await connection.until('second'), /^HTTP\/1\.1 200 .*\r\n\r\nfirstHTTP\/1\.1 200 .*\r\n\r\nsecond$/s);
});

test('key connection: a key while another is read: begun when that one is answered', async (t) => {
  const begun: string[] = [];
  let answer: () => void = () => {};
  const api = await start(t, {
    get: async (key) => {
      begun.push(textOf(key));
      if (begun.length === 1) {
        await new Promise<void>((resolve) => {
          answer = resolve;
        });
      }
      return found(key);
    },
  });
  const { connection, serverSide } = await api.connect();
  await sendPiece(connection, serverSide, get('first'));
  await sendPiece(connection, serverSide, get('second'));
  await sendPiece(connection, serverSide, get('third').slice(0, 20));
  assert.deepEqual(begun, ['first']);
  answer();
  await connection.until('\r\n\r\nsecond');
  connection.send(get('third').slice(20));
  await connection.until('\r\n\r\nthird');
  assert.deepEqual(begun, ['first', 'second', 'third']);
});

test('key connection: a client that has said all: it is answered, and the connection ends', async (t) => {
  const held = heldGets();
  const api = await start(t, { get: held.get });
  const { connection, serverSide } = await api.connect();
  connection.send(get('a'));
  const answer = await held.begun('a');
  connection.socket.end();
  await once(serverSide, 'end');
  answer('first');
  const received = await connection.untilClosed();
  assert.match(received, /\r\nConnection: close\r\n\r\nfirst$/);
  assert.equal(api.takenByNode(), 0);
});

test('key connection: a client that says nothing and ends', async (t) => {
  const api = await start(t, {});
  const { connection } = await api.connect();
  connection.socket.end();
  assert.equal(await connection.untilClosed(), '');
});

test('key connection: a client that goes away while it waits: nobody is hurt', async (t) => {
  const held = heldGets();
  const api = await start(t, { get: held.get });
  const { connection, closed } = await api.connect();
  connection.send(get('a'));
  const answer = await held.begun('a');
  connection.socket.resetAndDestroy();
  await closed;
  answer('first');
  assert.equal(await connections(api.server), 0);
  const other = api.client.call('GET /v1/kv/b');
  (await held.begun('b'))('second');
  assert.equal((await other).text, 'second');
});

test('key connection: a client that pipelines and goes away while it waits: nothing more is begun', async (t) => {
  const held = heldGets();
  const api = await start(t, { get: held.get });
  const { connection, serverSide, closed } = await api.connect();
  connection.send(get('a'));
  const answer = await held.begun('a');
  await sendPiece(connection, serverSide, get('b'));
  connection.socket.resetAndDestroy();
  await closed;
  answer('first');
  await turn();
  assert.equal(api.takenByNode(), 0);
});

test('key connection: a request that takes longer than anybody may be silent', async (t) => {
  const held = heldGets();
  const api = await start(t, { get: held.get }, { headersTimeoutMs: 200, keepAliveTimeoutMs: 200 });
  const { connection, serverSide } = await api.connect();
  for (const key of ['a', 'b']) {
    connection.send(get(key));
    const answer = await held.begun(key);
    await once(serverSide, 'timeout');
    answer(key);
    await connection.until(`\r\n\r\n${key}`);
  }
  assert.equal(api.takenByNode(), 0);
});

test('key connection: a client that asks for nothing more: the connection ends without a word', async (t) => {
  const api = await start(t, { get: async (key) => found(key) }, { keepAliveTimeoutMs: 40 });
  const { connection } = await api.connect();
  connection.send(get('a'));
  assert.match(await connection.untilClosed(), /^HTTP\/1\.1 200 .*\r\n\r\na$/s);
});

test('key connection: an answer that nobody reads ends the connection', async (t) => {
  const api = await start(t, { get: async () => found(large) }, { keepAliveTimeoutMs: 40 });
  const { connection, closed } = await api.connect();
  connection.socket.pause();
  connection.send(get('a'));
  await closed;
});

test('key connection: a client that asks and does not read is not given more than a few answers', async (t) => {
  let gets = 0;
  const counting = async (): Promise<GetAnswer> => {
    gets++;
    return found(large);
  };
  const api = await start(t, { get: counting }, { keepAliveTimeoutMs: 100, idleTimeoutMs: 100 });
  const { connection, serverSide, closed } = await api.connect();
  connection.socket.pause();
  for (let i = 0; i < 20; i++) await sendPiece(connection, serverSide, get('a'));
  await closed;
  assert.ok(gets < 10, `${gets} answers`);
});

test('key connection: a member that closes ends those that wait, and keeps those that are answered', async (t) => {
  const held = heldGets();
  const api = await start(t, { get: held.get });
  const silent = await api.connect();
  const idle = await api.connect();
  idle.connection.send(get('a'));
  (await held.begun('a'))('first');
  await idle.connection.until('first');
  const busy = await api.connect();
  busy.connection.send(get('b'));
  const answer = await held.begun('b');
  const closed = api.close();
  assert.equal(await silent.connection.untilClosed(), '');
  assert.equal(await idle.connection.untilClosed(), '');
  answer('second');
  assert.match(await busy.connection.untilClosed(), /second$/);
  await closed;
});

test('key connection: a member that cannot wait longer ends those that are answered, too', async (t) => {
  const held = heldGets();
  const api = await start(t, { get: held.get });
  const { connection } = await api.connect();
  connection.send(get('a'));
  const answer = await held.begun('a');
  api.server.closeAllConnections();
  assert.equal(await connection.untilClosed(), '');
  answer('first');
});

test('key connection: requests are counted as those that Node takes', async (t) => {
  for (const [line, takenByNode] of [
    ['accept: */*', 0],
    ['te: trailers', 4],
  ] as const) {
    const told: string[] = [];
    const requestMetrics: RequestMetrics = {
      route: (method, route) => (status, durationMs) => {
        assert.ok(durationMs >= 0);
        told.push(`${method} ${route} ${status}`);
      },
    };
    const service: Partial<KvService> = {
      get: async () => ({ header, kv: undefined }),
      put: async () => created,
      delete: async () => ({ header, deleted: 1, previous: undefined }),
    };
    const api = await start(t, service, { requestMetrics });
    const { connection } = await api.connect();
    for (const [method, answer] of [
      ['GET', '404 Not Found'],
      ['PUT', '201 Created'],
      ['DELETE', '200 OK'],
      ['PUT', '400 Bad Request'],
    ] as const) {
      const query = answer.startsWith('400') ? '?leese=1' : '';
      connection.send(`${method} /v1/kv/a${query} HTTP/1.1\r\nhost: x\r\n${line}\r\n\r\n`);
      await connection.until(answer);
      await connection.until('}\n');
    }
    const route = '/v1/kv/{key}';
    assert.deepEqual(told, [`GET ${route} 404`, `PUT ${route} 201`, `DELETE ${route} 200`, `PUT ${route} 400`]);
    assert.equal(api.takenByNode(), takenByNode);
  }
});

test('key connection: a piece behind a request, and then the end: cut the answer off', async (t) => {
  const held = heldGets();
  const api = await start(t, { get: held.get });
  const { connection, serverSide } = await api.connect();
  connection.send(get('a'));
  const answer = await held.begun('a');
  await sendPiece(connection, serverSide, get('b'));
  connection.socket.end();
  await once(serverSide, 'end');
  answer(large);
  const received = await connection.untilClosed();
  assert.equal(received.length - received.indexOf('\r\n\r\n') - 4, large.length);
  assert.match(received, /\r\nConnection: close\r\n\r\nv/);
});

test('key connection: a member that closes: cut off an answer that was still being read', async (t) => {
  const api = await start(t, { get: async () => found(large) });
  const { connection, serverSide } = await api.connect();
  connection.send(get('a'));
  await connection.until('\r\n\r\n');
  connection.socket.pause();
  const closed = api.close();
  while (api.server.listening) await turn();
  api.server.closeIdleConnections();
  assert.ok(!serverSide.destroyed);
  connection.socket.resume();
  assert.equal((await connection.untilClosed()).length, large.length);
  await closed;
});

test('key connection: a member that closes: promised to keep the connection', async (t) => {
  const held = heldGets();
  const api = await start(t, { get: held.get });
  const { connection, serverSide } = await api.connect();
  connection.send(get('a'));
  const answer = await held.begun('a');
  const closed = api.close();
  while (api.server.listening) await turn();
  answer('first');
  assert.match(await connection.untilClosed(), /\r\nConnection: close\r\n\r\nfirst$/);
  assert.ok(serverSide.destroyed);
  await closed;
});

test('key connection: a client that says nothing: was given the time for headers twice', async (t) => {
  let refused: (socket: Socket) => void = () => {};
  const silent = new Promise<Socket>((resolve) => {
    refused = resolve;
  });
  const host: KeyConnectionHost = {
    valueBytesMax: 1024,
    headersTimeoutMs: 20,
    keepAliveTimeoutMs: 20,
    answer: () => assert.fail('a request that came too late was done'),
    handOver: () => assert.fail('Node waits again'),
    refuseSilence: (socket) => refused(socket),
    isClosing: () => false,
    closed: () => {},
  };
  const server = createServer((socket) => new KeyConnection(socket, host)).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const connection = await new HttpClient(`http://127.0.0.1:${address.port}`).connect();
  t.after(() => connection.close());
  const serverSide = await silent;
  await sendPiece(connection, serverSide, get('a'));
});

test('key connection: a client that says nothing: 408', async (t) => {
  const api = await start(t, {}, { headersTimeoutMs: 20 });
  const { connection } = await api.connect();
  const received = await connection.untilClosed();
  assert.match(received, /^HTTP\/1\.1 408 Request Timeout\r\n.*"code":"request_timeout"/s);
});
