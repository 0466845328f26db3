import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type Service, unary } from '../method.ts';
import { HealthCheckRequest, HealthCheckResponse } from '../proto/messages/health.ts';
import { GrpcClient } from '../testing/grpc-client.ts';
import { GrpcServer } from './grpc-server.ts';

/** A frame of HTTP/2. */
function frame(type: number, flags: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** Its calls go on for ever. */
const endless: Service = {
  name: 'a',
  methods: [
    {
      kind: 'stream',
      name: 'b',
      paths: [],
      request: HealthCheckRequest,
      response: HealthCheckResponse,
      requests: 'many',
      open: () => ({ onRequest: () => {}, onEnd: () => {}, onClose: () => {} }),
    },
    unary('c', [], HealthCheckRequest, HealthCheckResponse, () => new Promise(() => {})),
  ],
};

test('connections: one that says goodbye with a call under way and falls silent is ended (it stayed for ever)', async (t) => {
  const grpc = new GrpcServer([endless], {
    timeoutMs: 1000,
    messageBytesMax: 1000,
    keepAliveMs: 50,
    keepAliveTimeoutMs: 50,
    onFailure: () => undefined,
  });
  const server = createServer((socket) => grpc.accept(socket)).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const call = Buffer.concat(
    [':method=POST', ':scheme=http', ':path=/a/b', ':authority=x', 'content-type=application/grpc'].flatMap(
      (header) => [Buffer.of(0), ...(header.match(/^(.+?)=(.+)$/) ?? []).slice(1).flatMap(text)],
    ),
  );
  const [headers, settings, goaway] = [1, 4, 7];
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  socket.write(Buffer.concat([frame(settings, 0, 0), frame(headers, 4, 1, call)]));
  socket.resume();
  while (grpc.counts.underWay === 0) await delay(1);
  socket.write(frame(goaway, 0, 0, Buffer.alloc(8)));
  await once(socket, 'close');
  while (grpc.sessions > 0) await delay(1);
  assert.equal(grpc.counts.underWay, 0);
});

test('connections: to end one with many calls notes no stack for each of them (that held up the event loop)', async (t) => {
  const grpc = new GrpcServer([endless], { timeoutMs: 1000, messageBytesMax: 1000, onFailure: () => undefined });
  const server = createServer((socket) => grpc.accept(socket)).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const client = new GrpcClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  for (let i = 0; i < 200; i++) client.raw('/a/c');
  while (grpc.counts.underWay < 200) await delay(1);
  const { stackTraceLimit } = Error;
  const limits: number[] = [];
  const onHandled = grpc.counts.onHandled.bind(grpc.counts);
  grpc.counts.onHandled = (...handled) => {
    limits.push(Error.stackTraceLimit);
    onHandled(...handled);
  };
  await grpc.close(0);
  client.close();
  assert.deepEqual(limits, Array(200).fill(0));
  assert.equal(Error.stackTraceLimit, stackTraceLimit);
});

function text(value: string): Buffer[] {
  return [Buffer.of(value.length), Buffer.from(value)];
}
