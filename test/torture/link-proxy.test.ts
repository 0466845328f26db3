import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { encodeFrame, type Hello } from '../../src/transport/codec.ts';
import { LinkProxy, Links } from './link-proxy.ts';

test('link proxy: knows by the hello who dials, and cuts one direction of that link and no other', async () => {
  await using wire = await Wire.open();
  wire.dialer.write('one');
  assert.equal(await wire.target.next(3), 'one');

  wire.links.set('a', 'b', { isCut: true });
  wire.dialer.write('two');
  wire.target.write('back');
  assert.equal(await wire.dialer.next(4), 'back');
  assert.equal(wire.target.received, '');
  wire.links.set('a', 'b', { isCut: false });
  assert.equal(await wire.target.next(3), 'two');
});

test('link proxy: a link that is delayed keeps the order', async () => {
  await using wire = await Wire.open();
  wire.links.set('a', 'b', { delayMs: 30 });
  const startedMs = performance.now();
  wire.dialer.write('slow');
  wire.dialer.write('er');
  assert.equal(await wire.target.next(6), 'slower');
  assert.ok(performance.now() - startedMs >= 29);
});

test('link proxy: a reset cuts a chunk in its middle', async () => {
  await using wire = await Wire.open();
  const closed = new Promise((resolve) => wire.target.socket.once('close', resolve));
  assert.equal(wire.proxy.resetFrom('a'), 1);
  wire.dialer.write('abcdef');
  await closed;
  // A reset may overtake what was sent before it.
  assert.ok(['', 'abc'].includes(wire.target.received), wire.target.received);
});

/** What comes out at one end. */
class End {
  readonly socket: Socket;
  received = '';

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      this.received += chunk.toString();
    });
  }

  write(text: string): void {
    this.socket.write(text);
  }

  async next(length: number): Promise<string> {
    while (this.received.length < length) await once(this.socket, 'data');
    const taken = this.received.slice(0, length);
    this.received = this.received.slice(length);
    return taken;
  }
}

/** A dialer that has said hello as member a, the proxy, and member b behind it. */
class Wire implements AsyncDisposable {
  readonly links: Links;
  readonly proxy: LinkProxy;
  readonly dialer: End;
  readonly target: End;
  readonly #close: () => void;

  private constructor(links: Links, proxy: LinkProxy, dialer: End, target: End, close: () => void) {
    this.links = links;
    this.proxy = proxy;
    this.dialer = dialer;
    this.target = target;
    this.#close = close;
  }

  static async open(): Promise<Wire> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    assert(address !== null && typeof address === 'object');
    const links = new Links();
    const proxy = await LinkProxy.listen(links);
    proxy.forwardTo(address.port, 'b');
    const accepted = once(server, 'connection');
    const dialer = new End(connect(proxy.port, '127.0.0.1'));
    const [socket] = (await accepted) as [Socket];
    const target = new End(socket);
    const hello: Hello = {
      type: 'hello',
      versionMin: 1,
      versionMax: 2,
      clusterId: 'c',
      from: 'a',
      to: 'b',
      bootId: 'x',
      epoch: 1,
      software: '0.2.0',
      channel: 'main',
    };
    const head = Buffer.concat([Buffer.from('GET / HTTP/1.1\r\n\r\n'), encodeFrame(hello)]);
    dialer.socket.write(head);
    let length = 0;
    socket.on('data', (chunk) => {
      length += chunk.length;
    });
    while (length < head.length) await once(socket, 'data');
    target.received = '';
    return new Wire(links, proxy, dialer, target, () => server.close());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.dialer.socket.destroy();
    this.target.socket.destroy();
    await this.proxy[Symbol.asyncDispose]();
    this.#close();
  }
}
