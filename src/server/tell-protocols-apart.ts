import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** What takes connections that speak HTTP/2. */
export interface Http2Acceptor {
  accept(socket: Socket): void;
}

/** What every HTTP/2 connection begins with, as far as no HTTP/1.1 request does (RFC 9113, 3.4). */
const preface = Buffer.from('PRI * HTTP/2.0\r\n');

/**
 * Hands connections that begin with HTTP/2's preface to `http2`, and leaves all others to the server. One that says nothing is HTTP/1.1
 * after the server's own time for headers, so that it ends as any other that is too slow.
 */
export function tellProtocolsApart(server: Server, http2: Http2Acceptor): void {
  const takers = server.listeners('connection');
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    const hand = (isHttp2: boolean): void => {
      clearTimeout(silence);
      socket.off('readable', onReadable);
      socket.off('error', onEnd);
      socket.off('close', onEnd);
      if (isHttp2) http2.accept(socket);
      else for (const take of takers) take.call(server, socket);
    };
    // Not 'data': nobody must have begun to read the socket when it is handed over.
    const onReadable = (): void => {
      const bytes: Buffer | null = socket.read();
      if (bytes === null) return;
      socket.unshift(bytes);
      const length = Math.min(bytes.length, preface.length);
      if (!bytes.subarray(0, length).equals(preface.subarray(0, length))) hand(false);
      else if (length === preface.length) hand(true);
    };
    const onEnd = (): void => clearTimeout(silence);
    const silence = setTimeout(() => hand(false), server.headersTimeout);
    socket.on('readable', onReadable);
    socket.on('error', onEnd);
    socket.once('close', onEnd);
  });
}
