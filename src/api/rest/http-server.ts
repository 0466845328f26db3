import { type IncomingMessage, type RequestListener, Server, type ServerOptions, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { CompleteAnswer } from './direct-answer.ts';
import { KeyConnections, type KeyConnectionsOptions } from './key-connections.ts';
import { isDeclaredTooLarge } from './request-body.ts';
import type { WholeRequest } from './whole-request.ts';

/** How long and how much a client may take, before it has shown that it means well. Milliseconds and bytes. */
export interface HttpLimits {
  /** Until the headers are complete. */
  readonly headersTimeoutMs: number;
  /** Until the whole request is complete, its body included. */
  readonly requestTimeoutMs: number;
  /** Without a byte in either direction, also while an answer waits for a client that does not read it. */
  readonly idleTimeoutMs: number;
  /** Between two requests on a connection. */
  readonly keepAliveTimeoutMs: number;
  /** Of a body, for a request with that method. */
  readonly bodyBytesMax: (method: string) => number;
}

export interface HttpServerEvents {
  /** A connection on which no request could be read. It has to be ended. */
  readonly onClientError: (error: Error & { code?: string }, socket: Socket) => void;
  /** A request of HTTP/1.1 without a Host header, which must be answered with 400 (RFC 9112, 3.2). */
  readonly onMissingHost: (response: ServerResponse) => void;
  /** The listener failed, as when the process is out of file descriptors. */
  readonly onServerError: (error: Error) => void;
}

/**
 * Bytes of a request line and its headers. A range has two keys in its URL, a key has up to 8 KiB, and each of its
 * bytes can take three in a URL: 48 KiB. The rest is for headers; Node's own limit is 16 KiB for both.
 */
const headerBytesMax = 64 * 1024;

/**
 * The HTTP server under Fastify, with the guards that Fastify leaves off (it even switches Node's own slow-request
 * guard off). Made here and not by Fastify so that each listener has them: for `localhost` Fastify opens one per address.
 */
export function createHttpServer(
  route: RequestListener,
  answerKey: (request: WholeRequest) => Promise<CompleteAnswer>,
  limits: HttpLimits,
  events: HttpServerEvents,
): Server {
  const handler: RequestListener = (request, response) => {
    if (lacksHost(request)) events.onMissingHost(response);
    else route(request, response);
  };
  const server = new RestServer(
    {
      noDelay: true,
      // Node would answer 400 without a body.
      requireHostHeader: false,
      maxHeaderSize: headerBytesMax,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      connectionsCheckingInterval: Math.ceil(Math.min(2000, limits.headersTimeoutMs / 5)),
    },
    handler,
    { ...limits, valueBytesMax: limits.bodyBytesMax('PUT'), answer: answerKey },
  );
  server.setTimeout(limits.idleTimeoutMs);
  server.on('clientError', events.onClientError);
  // Without a listener an 'error' event ends the process. Until it listens, errors are those of the `listen` call.
  server.once('listening', () => server.on('error', events.onServerError));
  server.on('checkContinue', (request: IncomingMessage, response) => {
    // Else the client sends the whole body before it learns that it is too large.
    const bytesMax = limits.bodyBytesMax(request.method ?? '');
    if (!lacksHost(request) && !isDeclaredTooLarge(request, bytesMax)) response.writeContinue();
    handler(request, response);
  });
  // An expectation that is not known may be ignored (RFC 9110, 10.1.1); Node would answer 417 without a body.
  server.on('checkExpectation', handler);
  return server;
}

/** Node's HTTP server, with the connections for keys before it. */
class RestServer extends Server {
  readonly #keys: KeyConnections;

  constructor(options: ServerOptions, listener: RequestListener, keys: KeyConnectionsOptions) {
    super(options, listener);
    this.#keys = new KeyConnections(this, keys);
  }

  override closeIdleConnections(): void {
    super.closeIdleConnections();
    this.#keys.closeIdle();
  }

  override closeAllConnections(): void {
    super.closeAllConnections();
    this.#keys.closeAll();
  }
}

function lacksHost({ headers, httpVersion }: IncomingMessage): boolean {
  return headers.host === undefined && httpVersion === '1.1';
}
