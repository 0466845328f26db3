import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BalsaError, type ErrorCode, errorCatalogue } from '../../contract/errors.ts';

/**
 * Scripted servers: what the client does when an endpoint fails in a certain way can only be seen with one that does so,
 * and no real member breaks a connection on demand.
 */
export class Endpoints {
  readonly #opened: (() => void)[] = [];

  /** The URL of a server that answers so. */
  async open(answer: RequestListener): Promise<string> {
    const server = createServer(answer);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.#opened.push(() => {
      server.closeAllConnections();
      server.close();
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** Nothing listens there any more. */
  async closed(): Promise<string> {
    const url = await this.open(() => undefined);
    this.#opened.pop()?.();
    return url;
  }

  closeAll(): void {
    for (const close of this.#opened.splice(0)) close();
  }
}

export const hangUp: RequestListener = (request) => request.socket.destroy();

/** Answers a request, once it has arrived, with JSON. */
export function json(body: unknown, status = 200): RequestListener {
  return (request, response) => {
    request.resume();
    request.on('end', () => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  };
}

export function problem(code: ErrorCode, extras: object = {}): RequestListener {
  return (request, response) => {
    request.resume();
    const status = errorCatalogue[code].httpStatus;
    response
      .writeHead(status, { 'content-type': 'application/problem+json', 'balsa-revision': '9' })
      .end(JSON.stringify({ code, detail: `It is ${code}.`, status, ...extras }));
  };
}

/** The first request is answered by the first listener, and so on; all further ones by the last. */
export function inTurn(...listeners: readonly RequestListener[]): RequestListener {
  let asked = 0;
  return (request, response) => {
    const listener = listeners[Math.min(asked, listeners.length - 1)];
    asked += 1;
    listener?.(request, response);
  };
}

export async function rejection(promise: Promise<unknown>): Promise<BalsaError> {
  const reason = await promise.then(
    () => assert.fail('did not reject'),
    (rejected: unknown) => rejected,
  );
  assert.ok(reason instanceof BalsaError, String(reason));
  return reason;
}
