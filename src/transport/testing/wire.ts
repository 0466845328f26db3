import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/**
 * The network between one member and another, as a TCP proxy: it leads to whatever address the member has at the
 * moment, and can lose everything without a word, as a pulled cable does, or cut the connections, as a crash does.
 * It never changes, reorders or repeats bytes: TCP does not.
 */
export class Wire {
  readonly #server: Server;
  readonly #pairs = new Set<readonly [dialer: Socket, target: Socket]>();
  #targetPort: number | undefined;
  #mode: 'forward' | 'blackhole' = 'forward';
  #connections = 0;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(): Promise<Wire> {
    const server = createServer();
    const wire = new Wire(server);
    server.on('connection', (socket) => wire.#connect(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return wire;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** How many connections were asked for. */
  get connections(): number {
    return this.#connections;
  }

  /** Where connections lead from here on; nowhere (they are reset) without an argument. */
  leadTo(url?: string): void {
    this.#targetPort = url === undefined ? undefined : Number(new URL(url).port);
  }

  /** Nothing gets through any more, in either direction, and nobody is told. New connections are taken and silent. */
  blackhole(): void {
    this.#mode = 'blackhole';
    for (const pair of this.#pairs) for (const socket of pair) socket.pause();
  }

  /** The wire works again. What was connected meanwhile goes on as if the network had been slow. */
  heal(): void {
    this.#mode = 'forward';
    for (const pair of this.#pairs) for (const socket of pair) socket.resume();
  }

  /** Resets every connection. */
  cut(): void {
    for (const [dialer, target] of this.#pairs) {
      dialer.resetAndDestroy();
      target.resetAndDestroy();
    }
  }

  close(): Promise<void> {
    this.cut();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #connect(dialer: Socket): void {
    this.#connections++;
    dialer.on('error', () => {});
    if (this.#targetPort === undefined) {
      dialer.resetAndDestroy();
      return;
    }
    const target = connect(this.#targetPort, '127.0.0.1');
    target.on('error', () => {});
    const pair = [dialer, target] as const;
    this.#pairs.add(pair);
    this.#join(dialer, target, pair);
    this.#join(target, dialer, pair);
    if (this.#mode === 'blackhole') for (const socket of pair) socket.pause();
  }

  #join(from: Socket, to: Socket, pair: readonly [Socket, Socket]): void {
    from.setNoDelay(true);
    from.on('data', (chunk) => {
      if (to.write(chunk)) return;
      from.pause();
      to.once('drain', () => {
        if (this.#mode === 'forward') from.resume();
      });
    });
    from.on('close', () => {
      this.#pairs.delete(pair);
      if (this.#mode === 'forward') to.destroy();
    });
  }
}
