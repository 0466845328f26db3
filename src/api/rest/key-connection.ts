import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { type CompleteAnswer, contentLength } from './direct-answer.ts';
import { type WholeRequest, WholeRequestReader } from './whole-request.ts';

/** What a connection of requests for keys needs of its server. */
export interface KeyConnectionHost {
  readonly valueBytesMax: number;
  /** Until the first request is there. Milliseconds, as all times here. */
  readonly headersTimeoutMs: number;
  /** Between two requests. */
  readonly keepAliveTimeoutMs: number;
  /** Never rejects: what goes wrong is an answer, too. */
  readonly answer: (request: WholeRequest) => Promise<CompleteAnswer>;
  /** Goes on with the connection, from its next request on. */
  readonly handOver: (socket: Socket) => void;
  /** Ends a connection that has said nothing. */
  readonly refuseSilence: (socket: Socket) => void;
  /** Whether connections end with the answer that they wait for. */
  readonly isClosing: () => boolean;
  readonly closed: (connection: KeyConnection) => void;
}

/** Up to here one piece of memory with all of an answer costs less than a second write. */
const copiedBytesMax = 16 * 1024;

/**
 * A connection of HTTP/1.1 as long as each piece of bytes that comes is one plain request for a key (`WholeRequestReader`).
 * With the first that is not, Node's HTTP server has the connection for good.
 *
 * It is there for its speed (docs/decisions/0015): a put is read and answered for 15 us of CPU, which take Node's server and
 * Fastify 31.
 */
export class KeyConnection {
  readonly #socket: Socket;
  readonly #host: KeyConnectionHost;
  readonly #requests: WholeRequestReader;
  readonly #keepAliveLines: string;
  #isAnswering = false;
  #hasAnswered = false;
  /** What came while a request is answered. The socket is paused then. */
  #next: Buffer | undefined;
  #hasEnded = false;

  constructor(socket: Socket, host: KeyConnectionHost) {
    this.#socket = socket;
    this.#host = host;
    this.#requests = new WholeRequestReader(host.valueBytesMax);
    const keepAliveSeconds = Math.floor(host.keepAliveTimeoutMs / 1000);
    this.#keepAliveLines = `Connection: keep-alive\r\nKeep-Alive: timeout=${keepAliveSeconds}\r\n\r\n`;
    socket.setTimeout(host.headersTimeoutMs);
    socket.on('timeout', this.#onTimeout);
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('error', this.#onError);
    socket.on('close', this.#onClose);
  }

  /** Whether nothing is lost for the client when the connection ends. */
  get isIdle(): boolean {
    return !this.#isAnswering && this.#socket.writableLength === 0;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#isAnswering) {
      this.#socket.pause();
      this.#next = this.#next === undefined ? chunk : Buffer.concat([this.#next, chunk]);
      return;
    }
    // A client that sends without reading is for Node's server to hold up.
    const request = this.#socket.writableNeedDrain ? undefined : this.#requests.read(chunk);
    if (request === undefined) this.#handOver(chunk);
    else void this.#answer(request);
  };

  async #answer(request: WholeRequest): Promise<void> {
    this.#isAnswering = true;
    const answer = await this.#host.answer(request);
    this.#isAnswering = false;
    if (this.#socket.destroyed) return;
    const next = this.#next;
    // Behind the client's end nothing can be given back to the socket: what it sent before its end is not begun.
    const isLast = this.#hasEnded || (next === undefined && this.#host.isClosing());
    this.#write(answer, isLast);
    if (!this.#hasAnswered) {
      this.#hasAnswered = true;
      this.#socket.setTimeout(this.#host.keepAliveTimeoutMs);
    }
    if (isLast) this.#endSoon();
    else if (next !== undefined) this.#handOver(next);
  }

  /** As Node's server writes it: its names of the headers, and their order. */
  #write({ status, headers, body }: CompleteAnswer, isLast: boolean): void {
    let head = statusLine(status);
    for (const name in headers) head += `${name}: ${headers[name]}\r\n`;
    if (status !== 304) head += `content-length: ${contentLength(body)}\r\n`;
    head += dateLine();
    head += isLast ? 'Connection: close\r\n\r\n' : this.#keepAliveLines;
    if (typeof body === 'string') this.#socket.write(head + body);
    else if (body.length <= copiedBytesMax) {
      const answer = Buffer.allocUnsafe(head.length + body.length);
      answer.write(head, 'latin1');
      answer.set(body, head.length);
      this.#socket.write(answer);
    } else {
      this.#socket.cork();
      this.#socket.write(head, 'latin1');
      this.#socket.write(body);
      this.#socket.uncork();
    }
  }

  /** As soon as the answer is sent. What comes meanwhile would be done without an answer, so it is not looked at. */
  #endSoon(): void {
    this.#socket.off('data', this.#onData);
    this.#socket.destroySoon();
  }

  #handOver(bytes: Buffer): void {
    const socket = this.#socket;
    socket.setTimeout(0);
    socket.off('timeout', this.#onTimeout);
    socket.off('data', this.#onData);
    socket.off('end', this.#onEnd);
    socket.off('error', this.#onError);
    socket.off('close', this.#onClose);
    this.#host.closed(this);
    socket.unshift(bytes);
    this.#host.handOver(socket);
    socket.resume();
  }

  readonly #onTimeout = (): void => {
    // A request ends by its own deadline.
    if (this.#isAnswering) return;
    if (this.#hasAnswered) {
      this.#socket.destroy();
      return;
    }
    // Its request would be done although it is told that it came too late.
    this.#socket.off('data', this.#onData);
    this.#host.refuseSilence(this.#socket);
  };

  readonly #onEnd = (): void => {
    this.#hasEnded = true;
    if (!this.#isAnswering) this.#socket.end();
  };

  readonly #onError = (): void => {
    // 'close' comes behind it.
  };

  readonly #onClose = (): void => this.#host.closed(this);
}

const statusLines: string[] = [];

function statusLine(status: number): string {
  statusLines[status] ??= `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n`;
  return statusLines[status];
}

let dateSecond = 0;
let dateText = '';

/** RFC 9110, 5.6.7: to the second. */
function dateLine(): string {
  const second = Math.floor(Date.now() / 1000);
  if (second !== dateSecond) {
    dateSecond = second;
    dateText = `Date: ${new Date(second * 1000).toUTCString()}\r\n`;
  }
  return dateText;
}
