import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { decodeFrame } from '../../src/transport/codec.ts';
import { FrameReader } from '../../src/transport/frame.ts';

/** What happens to bytes on their way from one member to another. */
export interface LinkState {
  /** Nothing gets through in this direction; connections stay, and what is sent waits, as on a network that lost its way. */
  isCut: boolean;
  delayMs: number;
}

/** The links of all members, by `from>to`, in ids. */
export class Links {
  readonly #states = new Map<string, LinkState>();
  readonly #changed = new Set<() => void>();
  /** Called for whatever comes from one member for another, before it is passed on. */
  readonly onSent: (from: string, to: string) => void;

  constructor(onSent: (from: string, to: string) => void = () => {}) {
    this.onSent = onSent;
  }

  state(from: string, to: string): LinkState {
    const name = `${from}>${to}`;
    let state = this.#states.get(name);
    if (state === undefined) {
      state = { isCut: false, delayMs: 0 };
      this.#states.set(name, state);
    }
    return state;
  }

  set(from: string, to: string, change: Partial<LinkState>): void {
    Object.assign(this.state(from, to), change);
    for (const changed of this.#changed) changed();
  }

  heal(): void {
    for (const state of this.#states.values()) Object.assign(state, { isCut: false, delayMs: 0 });
    for (const changed of this.#changed) changed();
  }

  onChange(callback: () => void): () => void {
    this.#changed.add(callback);
    return () => this.#changed.delete(callback);
  }
}

/** More than a handshake takes; a connection that has not said who it is by then is nobody's. */
const helloBytesMax = 64 * 1024;

/**
 * Stands before the peer port of one member. Who dials it is read from the hello that passes by, so that each connection
 * belongs to a link, and each direction of a link can be cut, delayed, or broken in the middle of a frame.
 */
export class LinkProxy implements AsyncDisposable {
  readonly #links: Links;
  readonly #server: Server;
  readonly #connections = new Set<Connection>();
  #target: { readonly port: number; readonly id: string } | undefined;

  private constructor(links: Links) {
    this.#links = links;
    this.#server = createServer({ pauseOnConnect: true }, (socket) => this.#accept(socket));
  }

  static async listen(links: Links): Promise<LinkProxy> {
    const proxy = new LinkProxy(links);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    const address = this.#server.address();
    return address !== null && typeof address === 'object' ? address.port : 0;
  }

  /** The member behind it: where it listens, and what it is called in `Links`. */
  forwardTo(port: number, id: string): void {
    this.#target = { port, id };
  }

  /** Breaks the connections that this member dialed, each after a part of the next chunk: the other end sees a reset. */
  resetFrom(from: string): number {
    const dialed = [...this.#connections].filter((connection) => connection.from === from);
    for (const connection of dialed) connection.breakSoon();
    return dialed.length;
  }

  /** Whoever listens here is another one now: what is open belongs to the links of the one before. */
  resetAll(): void {
    for (const connection of this.#connections) connection.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.#connections) connection.close();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(client: Socket): void {
    if (this.#target === undefined) {
      client.destroy();
      return;
    }
    const { port, id } = this.#target;
    const connection = new Connection(client, connect(port, '127.0.0.1'), this.#links, id, () =>
      this.#connections.delete(connection),
    );
    this.#connections.add(connection);
  }
}

class Connection {
  from: string | undefined;
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #links: Links;
  readonly #to: string;
  readonly #forth: Pipe;
  readonly #back: Pipe;
  readonly #forgetLinks: () => void;
  #head = Buffer.alloc(0);

  constructor(client: Socket, server: Socket, links: Links, to: string, onClose: () => void) {
    this.#client = client;
    this.#server = server;
    this.#links = links;
    this.#to = to;
    this.#forth = new Pipe(
      client,
      server,
      () => this.#stateOf('forth'),
      (chunk) => this.#watch(chunk),
    );
    this.#back = new Pipe(server, client, () => this.#stateOf('back'));
    this.#forgetLinks = links.onChange(() => {
      this.#forth.flush();
      this.#back.flush();
    });
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      socket.on('error', () => this.close());
      socket.on('close', () => {
        this.#forgetLinks();
        this.close();
        onClose();
      });
    }
    client.resume();
  }

  breakSoon(): void {
    this.#forth.breakSoon(() => this.close());
  }

  close(): void {
    for (const socket of [this.#client, this.#server]) if (!socket.destroyed) socket.resetAndDestroy();
  }

  #stateOf(direction: 'forth' | 'back'): LinkState | undefined {
    if (this.from === undefined) return undefined;
    return direction === 'forth' ? this.#links.state(this.from, this.#to) : this.#links.state(this.#to, this.from);
  }

  /** Until the hello has passed. */
  #watch(chunk: Buffer): void {
    if (this.from !== undefined) this.#links.onSent(this.from, this.#to);
    if (this.from !== undefined || this.#head.length > helloBytesMax) return;
    this.#head = Buffer.concat([this.#head, chunk]);
    const end = this.#head.indexOf('\r\n\r\n');
    if (end === -1) return;
    const reader = new FrameReader(helloBytesMax);
    reader.feed(this.#head.subarray(end + 4));
    const body = reader.next();
    const frame = Buffer.isBuffer(body) ? decodeFrame(body, undefined) : undefined;
    if (typeof frame === 'object' && frame.type === 'hello') this.from = frame.from;
  }
}

/** One direction of a connection. */
class Pipe {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #state: () => LinkState | undefined;
  #waiting: { readonly chunk: Buffer; readonly dueMs: number }[] = [];
  #timer: NodeJS.Timeout | undefined;
  #onBroken: (() => void) | undefined;

  constructor(
    from: Socket,
    to: Socket,
    state: () => LinkState | undefined,
    watch: (chunk: Buffer) => void = () => undefined,
  ) {
    this.#from = from;
    this.#to = to;
    this.#state = state;
    from.on('data', (chunk: Buffer) => {
      watch(chunk);
      this.#waiting.push({ chunk, dueMs: performance.now() + (this.#state()?.delayMs ?? 0) });
      // Memory is bounded as on a real path: the sender has to wait.
      if (this.#waiting.length > 256) this.#from.pause();
      this.flush();
    });
  }

  /** Forwards what is due, unless the link is cut. */
  flush(): void {
    clearTimeout(this.#timer);
    if (this.#state()?.isCut === true) return;
    const now = performance.now();
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      if (first.dueMs > now) {
        this.#timer = setTimeout(() => this.flush(), first.dueMs - now);
        return;
      }
      this.#waiting.shift();
      if (this.#onBroken !== undefined) {
        this.#to.write(first.chunk.subarray(0, Math.ceil(first.chunk.length / 2)), this.#onBroken);
        return;
      }
      this.#to.write(first.chunk);
    }
    if (this.#from.isPaused() && !this.#from.destroyed) this.#from.resume();
  }

  breakSoon(onBroken: () => void): void {
    this.#onBroken = onBroken;
  }
}
