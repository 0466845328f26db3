import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { GrpcServer } from '../api/etcd/index.ts';
import { tellProtocolsApart } from './tell-protocols-apart.ts';

/** A URL that cannot be listened on; the message says which flag to change. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
}

/** The client port: REST over HTTP/1.1 and gRPC over HTTP/2 behind all its URLs. */
export interface ClientListener {
  /** What is really bound, in the order of the URLs. */
  readonly urls: readonly string[];
  /** Takes no more connections, and waits for the requests under way, at most `drainMs`. */
  close(drainMs: number): Promise<void>;
}

/** As those of Node's HTTP server: a client that has said all is still answered, and nothing waits for a full packet. */
const socketOptions = { allowHalfOpen: true, noDelay: true };

export async function listenForClients(
  app: FastifyInstance,
  grpc: GrpcServer,
  urls: readonly string[],
): Promise<ClientListener> {
  tellProtocolsApart(app.server, grpc);
  const further: Server[] = [];
  const bound: string[] = [];
  for (const url of urls) {
    try {
      const { hostname, port } = new URL(url);
      const [host, ...others] = addressesOf(hostname);
      let first: Server = app.server;
      if (bound.length === 0) {
        await app.listen({ host, port: Number(port) });
      } else {
        first = await listenToo(app, host, Number(port));
        further.push(first);
      }
      bound.push(urlOf(first, hostname));
      for (const other of others) {
        const server = await listenToo(app, other, portOf(first)).catch(ignoreMissingFamily);
        if (server !== undefined) further.push(server);
      }
    } catch (reason) {
      for (const server of further) server.close();
      await app.close();
      throw listenError(url, reason);
    }
  }
  return {
    urls: bound,
    async close(drainMs) {
      for (const server of further) server.close();
      const cutOff = setTimeout(() => app.server.closeAllConnections(), drainMs);
      await Promise.all([app.close(), grpc.close(drainMs)]);
      clearTimeout(cutOff);
    },
  };
}

/** Fastify would give each address of `localhost` a server of its own, which knows nothing of gRPC. */
function addressesOf(hostname: string): readonly [string, ...string[]] {
  // RFC 6761, 6.3: whatever a resolver says.
  return hostname === 'localhost' ? ['127.0.0.1', '::1'] : [hostname.replace(/^\[|\]$/g, '')];
}

/** The HTTP server counts and times out a connection however it came. */
async function listenToo(app: FastifyInstance, host: string, port: number): Promise<Server> {
  const server = createServer(socketOptions, (socket) => app.server.emit('connection', socket));
  server.listen(port, host);
  await once(server, 'listening');
  return server;
}

/** A machine without IPv6 has no `::1`. */
function ignoreMissingFamily(reason: unknown): undefined {
  const code = reason instanceof Error && 'code' in reason ? reason.code : undefined;
  if (code !== 'EADDRNOTAVAIL' && code !== 'EAFNOSUPPORT') throw reason;
  return undefined;
}

function urlOf(server: Server, hostname: string): string {
  return `http://${hostname}:${portOf(server)}`;
}

function portOf(server: Server): number {
  const address = server.address();
  return address !== null && typeof address === 'object' ? address.port : 0;
}

function listenError(url: string, reason: unknown): Error {
  const code = reason instanceof Error && 'code' in reason ? reason.code : undefined;
  if (code === 'EADDRINUSE') {
    return new ListenError(
      `another process listens on ${url} already; stop it, or choose another --listen-client-urls`,
    );
  }
  if (code === 'EACCES' || code === 'EADDRNOTAVAIL') {
    return new ListenError(
      `this machine does not let Balsa listen on ${url} (${code}); choose another --listen-client-urls`,
    );
  }
  return new ListenError(`cannot listen on ${url}`, { cause: reason });
}
