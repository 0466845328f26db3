import type { OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { EtcdError } from '../status.ts';
import { encodeText } from './metadata.ts';

const contentType = 'application/grpc';

export const okHeaders: OutgoingHttpHeaders = { ':status': 200, 'content-type': contentType };
export const okTrailers: OutgoingHttpHeaders = { 'grpc-status': '0', 'grpc-message': '' };

export function trailersOf(error: EtcdError): OutgoingHttpHeaders {
  return { 'grpc-status': `${error.number}`, 'grpc-message': encodeText(error.message) };
}

/** Nothing can be answered any more; Node.js throws where one tries. */
export function isGone(stream: ServerHttp2Stream): boolean {
  return stream.destroyed || stream.closed;
}

/** An answer that is nothing but an error ("Trailers-Only"). */
export function refuse(stream: ServerHttp2Stream, error: EtcdError): void {
  if (isGone(stream) || stream.headersSent) return;
  stream.respond({ ...okHeaders, ...trailersOf(error) }, { endStream: true });
}

/** As grpc-go answers what is no message of the method's. */
export function malformed(reason: unknown): EtcdError {
  const text = reason instanceof Error ? reason.message : 'it cannot be read';
  return new EtcdError('INTERNAL', `grpc: error unmarshalling request: ${text}`, { cause: reason });
}
