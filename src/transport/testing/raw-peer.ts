import { connect, createServer, type Server, type Socket } from 'node:net';
import { decodeFrame, encodeFrame, type Frame, type Hello } from '../codec.ts';
import { FrameReader } from '../frame.ts';
import { until } from './until.ts';

/** A socket in the hands of a test, which may speak the protocol, speak it wrongly, or not at all. */
export class RawPeer implements Disposable {
  readonly socket: Socket;
  /** Frames that were read, in order. */
  readonly frames: Frame[] = [];
  /** What was read before the first frame. */
  http = '';
  isClosed = false;
  readonly #reader = new FrameReader(64 * 1024 * 1024);

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('close', () => {
      this.isClosed = true;
    });
    socket.on('data', (chunk) => this.#onData(chunk));
  }

  static connect(url: string): RawPeer {
    return new RawPeer(connect(Number(new URL(url).port), '127.0.0.1'));
  }

  /** Asks for the peer stream, and waits until it is granted. */
  async upgrade(): Promise<void> {
    this.socket.write(`GET /v1/peer HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: balsa-peer\r\n\r\n`);
    await until('the upgrade', () => this.http.endsWith('\r\n\r\n') || this.isClosed);
  }

  /** Upgrades and says hello as member 2 of cluster c1 to member 1, or as somebody else. */
  async hello(differences: Partial<Hello> = {}): Promise<void> {
    await this.upgrade();
    this.send({ ...helloOf2, ...differences });
    await until('an answer to the hello', () => this.frames.length > 0 || this.isClosed);
  }

  send(frame: Frame): void {
    this.socket.write(encodeFrame(frame));
  }

  write(bytes: Buffer | string): void {
    this.socket.write(bytes);
  }

  async closed(): Promise<void> {
    await until('the connection to be closed', () => this.isClosed);
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }

  #onData(chunk: Buffer): void {
    let rest = chunk;
    if (!this.http.endsWith('\r\n\r\n')) {
      const end = chunk.indexOf('\r\n\r\n');
      const headBytes = end < 0 ? chunk.length : end + 4;
      this.http += chunk.toString('latin1', 0, headBytes);
      rest = chunk.subarray(headBytes);
      if (!this.http.startsWith('HTTP/1.1 101') && !this.http.startsWith('GET /v1/peer')) {
        this.http += rest.toString('latin1');
        return;
      }
    }
    this.#reader.feed(rest);
    for (let body = this.#reader.next(); body instanceof Buffer; body = this.#reader.next()) {
      const frame = decodeFrame(body, { from: '1', to: '2' });
      if (typeof frame === 'string') throw new Error(frame);
      this.frames.push(frame);
    }
  }
}

/** A port where member 1 finds a test instead of member 2. */
export class RawServer implements AsyncDisposable {
  readonly url: string;
  readonly peers: RawPeer[] = [];
  readonly #server: Server;

  private constructor(server: Server, url: string) {
    this.#server = server;
    this.url = url;
  }

  /** `onRequest` gets the socket when the request for a stream has been read. */
  static async open(onRequest: (peer: RawPeer) => void): Promise<RawServer> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = address !== null && typeof address !== 'string' ? address.port : 0;
    const raw = new RawServer(server, `http://127.0.0.1:${port}`);
    server.on('connection', (socket) => {
      const peer = new RawPeer(socket);
      raw.peers.push(peer);
      socket.once('data', () => onRequest(peer));
    });
    return raw;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const peer of this.peers) peer.socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

export const switching = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: balsa-peer\r\n\r\n';

export const helloOf2: Hello = {
  type: 'hello',
  versionMin: 1,
  versionMax: 2,
  clusterId: 'c1',
  from: '2',
  to: '1',
  bootId: 'raw',
  epoch: 1,
  software: '0.2.0',
  channel: 'main',
};
