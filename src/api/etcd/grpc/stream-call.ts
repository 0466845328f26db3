import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { SharedFields, StreamCall, StreamMethod, StreamRequests } from '../method.ts';
import { decode, encode } from '../proto/binary.ts';
import type { Init } from '../proto/message-type.ts';
import { EtcdError } from '../status.ts';
import { isGone, malformed, okHeaders, okTrailers, refuse, trailersOf } from './answers.ts';
import { FrameReader, prefixBytes, setPrefix } from './frames.ts';
import { timeoutOf } from './metadata.ts';
import type { CallOptions } from './unary-call.ts';

/** A call that answers more than once, on an HTTP/2 stream. What a client sends waits until what it sent before is done. */
export class GrpcStreamCall<Request extends object, Response extends object> implements StreamCall<Response> {
  drained: () => void = () => {};
  requestBytes = 0;
  readonly timeoutMs: number;
  readonly #stream: ServerHttp2Stream;
  readonly #headers: IncomingHttpHeaders;
  readonly #method: StreamMethod<Request, Response>;
  readonly #options: CallOptions;
  readonly #reader: FrameReader;
  readonly #requests: StreamRequests<Request>;
  readonly #aborting = new AbortController();
  #received = 0;
  #isBusy = false;
  #hasEnded = false;
  #isOver = false;

  constructor(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    method: StreamMethod<Request, Response>,
    options: CallOptions,
  ) {
    this.#stream = stream;
    this.#headers = headers;
    this.#method = method;
    this.#options = options;
    this.timeoutMs = Math.min(timeoutOf(headers) ?? options.timeoutMs, options.timeoutMs);
    this.#reader = new FrameReader(options.messageBytesMax);
    this.#requests = method.open(this);
    stream.on('data', (chunk: Buffer) => {
      this.#reader.push(chunk);
      this.#read();
    });
    stream.once('end', () => {
      this.#hasEnded = true;
      this.#read();
    });
    stream.on('drain', () => this.drained());
    stream.once('close', () => this.#close(new EtcdError('CANCELLED', 'context canceled')));
  }

  metadata(name: string): string | undefined {
    const value = this.#headers[name];
    return Array.isArray(value) ? value[0] : value;
  }

  get signal(): AbortSignal {
    return this.#aborting.signal;
  }

  send(message: Init<Response>, shared?: SharedFields<Response>): boolean {
    if (this.#isOver || isGone(this.#stream)) return false;
    this.#respond();
    const own = encode(this.#method.response, message, prefixBytes);
    const frame = shared === undefined ? own : Buffer.concat([own, shared.binary()]);
    return this.#stream.write(setPrefix(frame));
  }

  end(reason?: unknown): void {
    if (this.#isOver) return;
    const error = reason === undefined ? undefined : EtcdError.from(reason);
    this.#close(error);
    if (isGone(this.#stream)) return;
    // A stream is read to its end, or it is not closed.
    this.#stream.resume();
    if (error !== undefined && !this.#stream.headersSent) {
      refuse(this.#stream, error);
      return;
    }
    this.#respond();
    this.#stream.once('wantTrailers', () => {
      this.#stream.sendTrailers(error === undefined ? okTrailers : trailersOf(error));
    });
    this.#stream.end();
  }

  #respond(): void {
    if (!this.#stream.headersSent) this.#stream.respond(okHeaders, { waitForTrailers: true });
  }

  #close(error: EtcdError | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#aborting.abort();
    this.#requests.onClose();
    this.#options.onEnd(error);
  }

  #read(): void {
    if (this.#isBusy || this.#isOver) return;
    try {
      for (let bytes = this.#reader.next(); bytes !== undefined; bytes = this.#reader.next()) {
        const done = this.#take(bytes);
        if (done !== undefined) {
          this.#waitFor(done);
          return;
        }
        if (this.#isOver) return;
      }
      if (!this.#hasEnded) return;
      if (this.#reader.isWithinMessage) throw new EtcdError('INTERNAL', 'grpc: the request ended within its message');
      this.#requests.onEnd();
    } catch (reason) {
      this.end(reason);
    }
  }

  #take(bytes: Buffer): Promise<void> | undefined {
    if (this.#method.requests === 'one' && ++this.#received > 1) {
      throw new EtcdError('INTERNAL', 'grpc: the call takes one request');
    }
    let request: Request;
    try {
      request = decode(this.#method.request, bytes);
    } catch (reason) {
      throw malformed(reason);
    }
    this.requestBytes = bytes.length;
    return this.#requests.onRequest(request) ?? undefined;
  }

  #waitFor(done: Promise<void>): void {
    this.#isBusy = true;
    this.#stream.pause();
    done.then(
      () => {
        this.#isBusy = false;
        this.#stream.resume();
        this.#read();
      },
      (reason: unknown) => this.end(reason),
    );
  }
}
