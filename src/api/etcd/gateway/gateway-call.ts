import type { IncomingMessage, ServerResponse } from 'node:http';
import { closeSignal } from '../../rest/close-signal.ts';
import { timeoutOf } from '../grpc/metadata.ts';
import type { Call } from '../method.ts';

/** What a method knows of a request that came as JSON. */
export class GatewayCall implements Call {
  readonly timeoutMs: number;
  /** JSON has another size than the message, and a bound of its own. */
  readonly requestBytes = 0;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  #signal: AbortSignal | undefined;

  constructor(request: IncomingMessage, response: ServerResponse, timeoutMs: number) {
    this.#request = request;
    this.#response = response;
    this.timeoutMs = Math.min(timeoutOf(request.headers) ?? timeoutMs, timeoutMs);
  }

  /** Headers that begin with `Grpc-Metadata-`, as grpc-gateway passes them on; the token also as `Authorization`. */
  metadata(name: string): string | undefined {
    const value = this.#request.headers[`grpc-metadata-${name}`];
    if (name === 'token' && value === undefined) return this.#request.headers.authorization;
    return Array.isArray(value) ? value[0] : value;
  }

  get signal(): AbortSignal {
    this.#signal ??= closeSignal(this.#response);
    return this.#signal;
  }
}
