import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

interface Pair {
  readonly dialer: Socket;
  readonly target: Socket;
  /** Nothing of it gets through any more, not even that one side closes. */
  isLost: boolean;
  /** Nothing of it is read, until `heal`. */
  stands: boolean;
}

/**
 * The network between one member and another, as a TCP proxy: it leads to whatever address the member has at the
 * moment, and can lose everything without a word, as a pulled cable does; stand still; or cut connections, as a crash
 * does. It never changes, reorders or repeats bytes: TCP does not.
 */
export class Wire {
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  readonly #sockets = new Set<Socket>();
  #targetPort: number | undefined;
  #connections = 0;
  #mode: 'forwards' | 'loses' | 'stands' = 'forwards';

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

  /** Where connections lead from here on; until then they are reset. */
  leadTo(url: string): void {
    this.#targetPort = Number(new URL(url).port);
  }

  /** What is connected is lost for good, and nobody is told; new connections are taken and lost too, until `heal`. */
  blackhole(): void {
    this.#mode = 'loses';
    for (const pair of this.#pairs) pair.isLost = true;
    this.#pauseOrResume();
  }

  /** Nothing is read and nothing is lost, as by a process that is stopped, until `heal`. */
  stand(): void {
    this.#mode = 'stands';
    this.#pauseOrResume();
  }

  /** The newest connection stands still, the others do not. */
  standNewest(): void {
    const newest = [...this.#pairs].at(-1);
    if (newest !== undefined) newest.stands = true;
    this.#pauseOrResume();
  }

  heal(): void {
    this.#mode = 'forwards';
    for (const pair of this.#pairs) pair.stands = false;
    this.#pauseOrResume();
  }

  /** Resets every connection. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  close(): Promise<void> {
    this.cut();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #connect(dialer: Socket): void {
    this.#connections++;
    this.#own(dialer);
    if (this.#targetPort === undefined) {
      dialer.resetAndDestroy();
      return;
    }
    const target = connect(this.#targetPort, '127.0.0.1');
    this.#own(target);
    const pair = { dialer, target, isLost: this.#mode === 'loses', stands: false };
    this.#pairs.add(pair);
    this.#forward(pair, dialer, target);
    this.#forward(pair, target, dialer);
    this.#pauseOrResume();
  }

  #own(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
  }

  #forward(pair: Pair, from: Socket, to: Socket): void {
    from.on('data', (chunk) => {
      if (to.write(chunk)) return;
      from.pause();
      to.once('drain', () => this.#pauseOrResume());
    });
    from.on('close', () => {
      if (pair.isLost) return;
      this.#pairs.delete(pair);
      to.destroy();
    });
  }

  #pauseOrResume(): void {
    for (const { dialer, target, isLost, stands } of this.#pairs) {
      const flows = this.#mode === 'forwards' && !isLost && !stands;
      for (const [from, to] of [
        [dialer, target],
        [target, dialer],
      ] as const) {
        if (flows && !to.writableNeedDrain) from.resume();
        else from.pause();
      }
    }
  }
}
