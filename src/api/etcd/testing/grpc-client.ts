import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import type { Socket } from 'node:net';
import { FrameReader, prefixBytes, setPrefix } from '../grpc/frames.ts';
import { decode, encode } from '../proto/binary.ts';
import type { Init, MessageType } from '../proto/message-type.ts';

/** What a call ended with, when not well. */
export class CallFailed extends Error {
  override readonly name = 'CallFailed';
  readonly code: number;

  constructor(code: number, text: string) {
    super(text);
    this.code = code;
  }
}

/** A gRPC client that sends and shows everything as it is. */
export class GrpcClient {
  readonly session: ClientHttp2Session;

  /** `socket`: connected to `url`, for who wants to do something to it. */
  constructor(url: string, socket?: Socket) {
    this.session = connect(url, socket === undefined ? {} : { createConnection: () => socket });
    this.session.on('error', () => undefined);
    this.session.setMaxListeners(0);
  }

  async unary<Request extends object, Response extends object>(
    path: string,
    types: readonly [MessageType<Request>, MessageType<Response>],
    request: Init<Request>,
    metadata: Readonly<Record<string, string>> = {},
  ): Promise<Response> {
    const stream = this.stream(path, types, metadata);
    stream.end(request);
    const answers = await stream.all();
    const [answer] = answers;
    if (answer === undefined || answers.length > 1) throw new Error(`${path} was answered ${answers.length} times`);
    return answer;
  }

  stream<Request extends object, Response extends object>(
    path: string,
    [request, response]: readonly [MessageType<Request>, MessageType<Response>],
    metadata: Readonly<Record<string, string>> = {},
  ): GrpcStream<Request, Response> {
    return new GrpcStream(this.raw(path, metadata), request, response);
  }

  raw(path: string, metadata: Readonly<Record<string, string>> = {}): ClientHttp2Stream {
    const headers = { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' };
    const stream = this.session.request({ ...headers, ...metadata });
    // As the session's: tests look at how a call ended, and a connection may end after they did.
    stream.on('error', () => undefined);
    return stream;
  }

  close(): void {
    this.session.destroy();
  }
}

export class GrpcStream<Request extends object, Response extends object> {
  readonly raw: ClientHttp2Stream;
  /** Everything that has come so far. */
  readonly received: Response[] = [];
  readonly #request: MessageType<Request>;
  #ended: { readonly code: number; readonly text: string } | undefined;
  #wake: () => void = () => {};

  constructor(raw: ClientHttp2Stream, request: MessageType<Request>, response: MessageType<Response>) {
    this.raw = raw;
    this.#request = request;
    const reader = new FrameReader(2 ** 31);
    let status = { code: -1, text: 'the stream was closed without a status' };
    const look = (headers: Readonly<Record<string, unknown>>): void => {
      if (headers['grpc-status'] === undefined) return;
      status = { code: Number(headers['grpc-status']), text: decodeURIComponent(`${headers['grpc-message'] ?? ''}`) };
    };
    raw.on('response', look);
    raw.on('trailers', look);
    raw.on('data', (chunk: Buffer) => {
      reader.push(chunk);
      for (let bytes = reader.next(); bytes !== undefined; bytes = reader.next()) {
        this.received.push(decode(response, bytes));
      }
      this.#wake();
    });
    raw.on('error', () => undefined);
    raw.once('close', () => {
      this.#ended = status;
      this.#wake();
    });
  }

  send(message: Init<Request>): void {
    this.raw.write(setPrefix(encode(this.#request, message, prefixBytes)));
  }

  end(message?: Init<Request>): void {
    if (message !== undefined) this.send(message);
    this.raw.end();
  }

  cancel(): void {
    this.raw.close(8);
  }

  /** What came, once it fulfils the condition; rejects if the call ends before. */
  async until(condition: (received: readonly Response[]) => boolean): Promise<readonly Response[]> {
    while (!condition(this.received)) {
      if (this.#ended !== undefined) throw new CallFailed(this.#ended.code, this.#ended.text);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.received;
  }

  /** All answers of a call that ends; rejects if it does not end well. */
  async all(): Promise<readonly Response[]> {
    while (this.#ended === undefined) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#ended.code !== 0) throw new CallFailed(this.#ended.code, this.#ended.text);
    return this.received;
  }
}
