import type { IncomingMessage, ServerResponse } from 'node:http';
import type { SharedFields, StreamCall, StreamMethod, StreamRequests } from '../method.ts';
import { fromJson, toJson } from '../proto/json.ts';
import type { Init } from '../proto/message-type.ts';
import { EtcdError } from '../status.ts';
import { errorOf, streamErrorJson } from './error-json.ts';
import { GatewayCall } from './gateway-call.ts';
import { JsonObjects } from './json-objects.ts';

/** So that the kernel notices a client that has vanished. */
const keepAliveMs = 30_000;

export interface GatewayStreamOptions {
  readonly timeoutMs: number;
  readonly bodyBytesMax: number;
  readonly onEnd: (error: EtcdError | undefined) => void;
}

/**
 * A call that answers more than once, as JSON: requests one after another in the body, answers a line each, each written at once as one
 * chunk (`{"result":…}`).
 */
export class GatewayStream<Request extends object, Response extends object>
  extends GatewayCall
  implements StreamCall<Response>
{
  drained: () => void = () => {};
  readonly #in: IncomingMessage;
  readonly #out: ServerResponse;
  readonly #method: StreamMethod<Request, Response>;
  readonly #options: GatewayStreamOptions;
  readonly #objects: JsonObjects;
  readonly #requests: StreamRequests<Request>;
  readonly #idleTimeoutMs: number;
  #isBusy = false;
  #hasEnded = false;
  #isOver = false;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    method: StreamMethod<Request, Response>,
    options: GatewayStreamOptions,
  ) {
    super(request, response, options.timeoutMs);
    this.#in = request;
    this.#out = response;
    this.#method = method;
    this.#options = options;
    this.#objects = new JsonObjects(options.bodyBytesMax);
    // Hours may pass between two answers.
    this.#idleTimeoutMs = request.socket.timeout ?? 0;
    request.socket.setTimeout(0);
    request.socket.setKeepAlive(true, keepAliveMs);
    this.#requests = method.open(this);
    response.on('drain', () => this.drained());
    response.on('error', () => {});
    response.once('close', () => this.#close(new EtcdError('CANCELLED', 'context canceled')));
    request.on('data', (chunk: Buffer) => {
      this.#objects.push(chunk);
      this.#read();
    });
    request.on('error', () => {});
    request.once('end', () => {
      this.#hasEnded = true;
      this.#read();
    });
  }

  send(message: Init<Response>, shared?: SharedFields<Response>): boolean {
    if (this.#isOver || this.#out.destroyed) return false;
    if (!this.#out.headersSent) this.#out.writeHead(200, streamHeaders);
    const whole = shared === undefined ? message : { ...message, ...shared.fields() };
    return this.#out.write(`{"result":${toJson(this.#method.response, whole)}}\n`);
  }

  end(reason?: unknown): void {
    if (this.#isOver) return;
    const error = reason === undefined ? undefined : errorOf(reason);
    this.#close(error);
    if (this.#out.destroyed) return;
    this.#in.socket.setTimeout(this.#idleTimeoutMs);
    this.#in.resume();
    if (!this.#out.headersSent) this.#out.writeHead(error?.httpStatus ?? 200, streamHeaders);
    this.#out.end(error === undefined ? undefined : streamErrorJson(error));
  }

  #close(error: EtcdError | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#requests.onClose();
    this.#options.onEnd(error);
  }

  #read(): void {
    if (this.#isBusy || this.#isOver) return;
    try {
      for (let json = this.#objects.next(); json !== undefined; json = this.#objects.next()) {
        const done = this.#requests.onRequest(fromJson(this.#method.request, json));
        if (done !== undefined) {
          this.#waitFor(done);
          return;
        }
        if (this.#isOver) return;
      }
      if (!this.#hasEnded) return;
      if (this.#objects.isWithinObject) throw new EtcdError('INVALID_ARGUMENT', 'the body ends within an object');
      this.#requests.onEnd();
    } catch (reason) {
      this.end(reason);
    }
  }

  #waitFor(done: Promise<void>): void {
    this.#isBusy = true;
    this.#in.pause();
    done.then(
      () => {
        this.#isBusy = false;
        this.#in.resume();
        this.#read();
      },
      (reason: unknown) => this.end(reason),
    );
  }
}

const streamHeaders = {
  'content-type': 'application/json',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'x-accel-buffering': 'no',
} as const;
