import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { Http2Opening } from './http2-opening.ts';

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
    let bytes: Buffer | undefined;
    let opening: Http2Opening | undefined;
    const hand = (seen: Buffer | undefined, isHttp2: boolean): void => {
      clearTimeout(silence);
      socket.off('readable', onReadable);
      socket.off('error', onError);
      socket.off('end', onEnd);
      socket.off('close', onClose);
      if (seen !== undefined) socket.unshift(seen);
      if (isHttp2) http2.accept(socket);
      else for (const take of takers) take.call(server, socket);
    };
    // Not 'data': nobody must have begun to read the socket when it is handed over.
    const onReadable = (): void => {
      const read: Buffer | null = socket.read();
      if (read === null) return;
      if (opening !== undefined) {
        const seen = opening.push(read);
        if (seen !== undefined) hand(seen, true);
        return;
      }
      // Not given back to the socket meanwhile: it would say at once that it is readable.
      bytes = bytes === undefined ? read : Buffer.concat([bytes, read]);
      const length = Math.min(bytes.length, preface.length);
      if (!bytes.subarray(0, length).equals(preface.subarray(0, length))) hand(bytes, false);
      else if (length === preface.length) {
        opening = new Http2Opening((frame) => void socket.write(frame));
        const seen = opening.push(bytes);
        if (seen !== undefined) hand(seen, true);
      }
    };
    const onError = (): void => {};
    const onEnd = (): void => void socket.destroy();
    const onClose = (): void => clearTimeout(silence);
    const onSilence = (): void => {
      if (opening === undefined) hand(bytes, false);
      // Clients of gRPC may be connected for long before their first call; the HTTP/2 server asks whether they still are.
      else if (opening.isAnswered) hand(opening.bytes, true);
      else socket.destroy();
    };
    const silence = setTimeout(onSilence, server.headersTimeout);
    socket.on('readable', onReadable);
    socket.on('error', onError);
    socket.once('end', onEnd);
    socket.once('close', onClose);
  });
}
