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
  try {
    for (const [i, url] of urls.entries()) {
      const { hostname, port } = new URL(url);
      const host = hostname.replace(/^\[|\]$/g, '');
      if (i === 0) {
        await app.listen({ host, port: Number(port) });
        bound.push(urlOf(app.server, hostname));
        continue;
      }
      // The HTTP server counts and times out a connection however it came.
      const server = createServer(socketOptions, (socket) => app.server.emit('connection', socket));
      further.push(server);
      server.listen(Number(port), host);
      await once(server, 'listening');
      bound.push(urlOf(server, hostname));
    }
  } catch (reason) {
    for (const server of further) server.close();
    await app.close();
    throw listenError(urls[bound.length] ?? '', reason);
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

function urlOf(server: Server | FastifyInstance['server'], hostname: string): string {
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  return `http://${hostname}:${port}`;
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
