import { connect, type Socket } from 'node:net';
import { Broken } from '../engine/target.ts';
import { parseAnswers, type RawAnswer } from './http-answer.ts';

const patienceMs = 8000;

/** One connection that sends what it is told to, byte for byte, and keeps what comes back. */
export class HttpSocket {
  readonly #socket: Socket;
  #received: Buffer[] = [];
  #isClosed = false;
  #wake: () => void = () => undefined;

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1');
    this.#socket.setNoDelay(true);
    this.#socket.on('data', (chunk) => {
      this.#received.push(chunk);
      this.#wake();
    });
    // A reset is one of the ways in which a server may end a connection.
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => {
      this.#isClosed = true;
      this.#wake();
    });
  }

  /** When the server has the connection, or has refused it. */
  connected(): Promise<void> {
    return this.#socket.connecting
      ? new Promise((resolve) => this.#socket.once('connect', resolve).once('close', resolve))
      : Promise.resolve();
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  send(bytes: Uint8Array | string): void {
    this.#socket.write(bytes);
  }

  /** What has come so far. */
  received(): Buffer {
    return Buffer.concat(this.#received);
  }

  /** The answer to one request, or undefined if the connection was closed without one. Forgets what it has read. */
  async answer(method: string): Promise<RawAnswer | undefined> {
    const deadlineMs = performance.now() + patienceMs;
    for (;;) {
      const { answers, isWhole } = parseAnswers(this.received(), [method], this.#isClosed);
      const [first] = answers;
      if (first !== undefined && isWhole) {
        this.#received = [];
        return first;
      }
      if (this.#isClosed) return undefined;
      if (performance.now() > deadlineMs) throw new Broken(`no answer within ${patienceMs} ms`);
      await this.#more(deadlineMs - performance.now());
    }
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #more(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms + 1);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** A connection that is kept, for questions whether all is well. */
export class KeptHttpSocket {
  readonly #port: number;
  #socket: HttpSocket | undefined;

  constructor(port: number) {
    this.#port = port;
  }

  async ask(method: string, target: string, body: Uint8Array = Buffer.alloc(0)): Promise<RawAnswer> {
    // The server may have closed it since it answered last: once more then, on a new one.
    for (let attempt = 0; attempt < 2; attempt++) {
      if (this.#socket === undefined || this.#socket.isClosed) this.#socket = new HttpSocket(this.#port);
      const length = method === 'PUT' ? `content-length: ${body.length}\r\n` : '';
      this.#socket.send(Buffer.concat([Buffer.from(`${method} ${target} HTTP/1.1\r\nhost: x\r\n${length}\r\n`), body]));
      const answer = await this.#socket.answer(method);
      if (answer !== undefined) return answer;
    }
    throw new Broken(`${method} ${target}: the connection was closed without an answer`);
  }

  close(): void {
    this.#socket?.destroy();
  }
}
