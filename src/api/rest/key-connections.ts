import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { CompleteAnswer } from './direct-answer.ts';
import { KeyConnection } from './key-connection.ts';
import type { WholeRequest } from './whole-request.ts';

export interface KeyConnectionsOptions {
  readonly valueBytesMax: number;
  readonly headersTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  /** Never rejects. */
  readonly answer: (request: WholeRequest) => Promise<CompleteAnswer>;
}

/** What Node's server reports of a connection that takes too long. */
const silence = Object.assign(new Error('No request came in time.'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' });

/** The connections of a server that have asked for keys only, so far. */
export class KeyConnections {
  readonly #connections = new Set<KeyConnection>();

  /** Puts itself before what takes the server's connections, which gets those that ask for anything else. */
  constructor(server: Server, options: KeyConnectionsOptions) {
    const takers = server.listeners('connection');
    const handOver = (socket: Socket): void => {
      for (const take of takers) take.call(server, socket);
    };
    const closed = (connection: KeyConnection): void => void this.#connections.delete(connection);
    const refuseSilence = (socket: Socket): void => void server.emit('clientError', silence, socket);
    const isClosing = (): boolean => !server.listening;
    const host = { ...options, handOver, refuseSilence, isClosing, closed };
    server.removeAllListeners('connection');
    server.on('connection', (socket: Socket) => this.#connections.add(new KeyConnection(socket, host)));
  }

  closeIdle(): void {
    for (const connection of this.#connections) if (connection.isIdle) connection.destroy();
  }

  closeAll(): void {
    for (const connection of this.#connections) connection.destroy();
  }
}
