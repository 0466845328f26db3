import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { Call, UnaryMethod } from '../method.ts';
import { decode, encode } from '../proto/binary.ts';
import type { Init } from '../proto/message-type.ts';
import { EtcdError } from '../status.ts';
import { isGone, malformed, okHeaders, okTrailers, refuse } from './answers.ts';
import { FrameReader, prefixBytes, setPrefix } from './frames.ts';
import { timeoutOf } from './metadata.ts';
import type { Turns } from './turns.ts';

export interface CallOptions {
  /** For a call that names no time of its own. */
  readonly timeoutMs: number;
  readonly messageBytesMax: number;
  readonly turns: Turns;
  readonly onEnd: (error: EtcdError | undefined) => void;
}

/** One request and its answer on an HTTP/2 stream. */
export class UnaryCall implements Call {
  readonly requestBytes: number;
  readonly #stream: ServerHttp2Stream;
  readonly #headers: IncomingHttpHeaders;
  readonly #timeoutMs: number;
  #aborting: AbortController | undefined;

  private constructor(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    timeoutMs: number,
    requestBytes: number,
  ) {
    this.#stream = stream;
    this.#headers = headers;
    this.#timeoutMs = timeoutMs;
    this.requestBytes = requestBytes;
  }

  /** What is to be called when the client gives the call up. */
  static serve<Request extends object, Response extends object>(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    method: UnaryMethod<Request, Response>,
    options: CallOptions,
  ): () => void {
    const reader = new FrameReader(options.messageBytesMax);
    let message: Buffer | undefined;
    // Either the request has come, and its method will end the call, or it was refused.
    let isDecided = false;
    const fail = (reason: unknown): void => {
      isDecided = true;
      stream.off('data', onData);
      stream.resume();
      const error = EtcdError.from(reason);
      refuse(stream, error);
      options.onEnd(error);
    };
    const onData = (chunk: Buffer): void => {
      reader.push(chunk);
      try {
        const next = reader.next();
        if (next === undefined) return;
        if (message !== undefined) throw new EtcdError('INTERNAL', 'grpc: a unary call has more than one request');
        message = next;
      } catch (reason) {
        fail(reason);
      }
    };
    stream.on('data', onData);
    stream.once('end', () => {
      if (isDecided || isGone(stream)) return;
      if (message === undefined || reader.isWithinMessage) {
        fail(new EtcdError('INTERNAL', 'grpc: the request ended within its message'));
        return;
      }
      const timeoutMs = Math.min(timeoutOf(headers) ?? options.timeoutMs, options.timeoutMs);
      const call = new UnaryCall(stream, headers, timeoutMs, message.length);
      let request: Request;
      try {
        request = decode(method.request, message);
      } catch (reason) {
        fail(malformed(reason));
        return;
      }
      isDecided = true;
      method
        .handle(request, call)
        .then((answer) => options.turns.run(() => respond(answer)))
        .catch(fail);
    });
    const respond = (answer: Init<Response>): void => {
      if (isGone(stream)) {
        options.onEnd(new EtcdError('CANCELLED', 'context canceled'));
        return;
      }
      try {
        const bytes = encode(method.response, answer, prefixBytes);
        stream.respond(okHeaders, { waitForTrailers: true });
        stream.once('wantTrailers', () => stream.sendTrailers(okTrailers));
        stream.end(setPrefix(bytes));
        options.onEnd(undefined);
      } catch (reason) {
        fail(reason);
      }
    };
    return () => {
      if (!isDecided) fail(new EtcdError('CANCELLED', 'context canceled'));
    };
  }

  metadata(name: string): string | undefined {
    const value = this.#headers[name];
    return Array.isArray(value) ? value[0] : value;
  }

  get timeoutMs(): number {
    return this.#timeoutMs;
  }

  /** Made only for those that ask: a listener costs as much as a small request. */
  get signal(): AbortSignal {
    if (this.#aborting === undefined) {
      const aborting = new AbortController();
      this.#aborting = aborting;
      if (this.#stream.destroyed) aborting.abort();
      else this.#stream.once('close', () => aborting.abort());
    }
    return this.#aborting.signal;
  }
}
