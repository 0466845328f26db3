import { type IncomingHttpHeaders, request } from 'node:http';
import { connect, type Socket } from 'node:net';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  readonly text: string;
  /** The body as JSON; throws if it is not. */
  json(): Record<string, unknown>;
}

export interface CallOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** Sends what it is told to, unlike `fetch`, which mends URLs and adds headers. */
export class HttpClient {
  readonly #url: URL;

  constructor(url: string) {
    this.#url = new URL(url);
  }

  /** `target` is `GET /path`; the path goes out as it is. */
  call(target: string, { headers = {}, body }: CallOptions = {}): Promise<Answer> {
    const space = target.indexOf(' ');
    const { hostname, port } = this.#url;
    const options = {
      hostname: hostname.replace(/^\[|\]$/g, ''),
      port,
      method: target.slice(0, space),
      path: target.slice(space + 1),
      headers,
    };
    return new Promise((resolve, reject) => {
      const sent = request(options, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => resolve(answerOf(response.statusCode ?? 0, response.headers, Buffer.concat(chunks))));
      });
      sent.on('error', reject);
      sent.end(body);
    });
  }

  /** A bare connection, for what no HTTP library would send. */
  async connect(): Promise<RawConnection> {
    const socket = connect(Number(this.#url.port), this.#url.hostname);
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return new RawConnection(socket);
  }
}

export class RawConnection {
  readonly socket: Socket;
  /** All that has come. */
  received = '';
  readonly #closed: Promise<void>;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      this.received += text;
    });
    // A reset is one of the ways in which the server may end the connection.
    socket.on('error', () => {});
    this.#closed = new Promise((resolve) => socket.once('close', () => resolve()));
  }

  send(text: string): void {
    this.socket.write(text, 'latin1');
  }

  /** All that came until the server closed the connection. */
  async untilClosed(): Promise<string> {
    await this.#closed;
    return this.received;
  }

  /** All that came until the text was in it; what came before it is forgotten by the next call. */
  async until(text: string): Promise<string> {
    for (;;) {
      const at = this.received.indexOf(text);
      if (at !== -1) {
        const seen = this.received.slice(0, at + text.length);
        this.received = this.received.slice(seen.length);
        return seen;
      }
      await this.#more(`"${text}"`);
    }
  }

  /** So many bytes of what comes, a character each; they are forgotten by the next call. */
  async take(bytes: number): Promise<string> {
    while (this.received.length < bytes) await this.#more(`${bytes} bytes`);
    const taken = this.received.slice(0, bytes);
    this.received = this.received.slice(bytes);
    return taken;
  }

  #more(awaited: string): Promise<unknown> {
    return Promise.race([
      new Promise((resolve) => this.socket.once('data', resolve)),
      this.#closed.then(() => Promise.reject(new Error(`closed before ${awaited}; there was: ${this.received}`))),
    ]);
  }

  close(): void {
    this.socket.destroy();
  }
}

function answerOf(status: number, headers: IncomingHttpHeaders, bytes: Buffer): Answer {
  const text = bytes.toString();
  return { status, headers, bytes, text, json: () => JSON.parse(text) as Record<string, unknown> };
}
