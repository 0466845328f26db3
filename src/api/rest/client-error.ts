import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { BalsaError } from '../../contract/errors.ts';
import type { AnswerHeader } from '../../contract/kv.ts';
import { problemHeaders, problemText } from './problem.ts';
import { isDiscarding } from './request-body.ts';

/**
 * Answers what never became a request (Node's 'clientError') on the bare socket, and ends the connection.
 *
 * Nothing is said where it would be taken for the answer to another request: while a complete one is being answered
 * on the connection, "400" would tell its client that a write did not happen which perhaps did.
 */
export function endBrokenConnection(
  error: Error & { code?: string },
  socket: Socket,
  header: () => AnswerHeader,
): void {
  if (!socket.writable || error.code === 'ECONNRESET' || isAnswering(socket) || isDiscarding(socket)) {
    socket.destroy();
    return;
  }
  const problem = problemOf(error.code);
  const body = problemText(problem);
  const status = problem.kind.httpStatus;
  const lines = Object.entries({
    ...problemHeaders(problem, header()),
    'content-length': `${Buffer.byteLength(body)}`,
    connection: 'close',
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`, () => socket.destroy());
}

/** Answers a request that does not say which host it is for, and ends the connection. */
export function refuseMissingHost(response: ServerResponse, header: AnswerHeader): void {
  const problem = new BalsaError('bad_request', 'The request has no Host header, which HTTP/1.1 demands. Send one.');
  const body = problemText(problem);
  const headers = {
    ...problemHeaders(problem, header),
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  };
  response.writeHead(problem.kind.httpStatus, headers).end(body);
}

/** Whether bytes on the socket now would be taken for an answer, or for a part of one, that is on its way. */
function isAnswering(socket: Socket): boolean {
  // The answer that the socket belongs to at the moment; Node's own handler of this event looks there as well.
  const { _httpMessage: answer } = socket as Socket & { readonly _httpMessage?: ServerResponse | null };
  if (answer === undefined || answer === null) return false;
  return answer.headersSent || answer.req.complete;
}

/** The parser's errors: `HPE_…` of llhttp, `ERR_HTTP_…` of Node. */
function problemOf(code: string | undefined): BalsaError {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new BalsaError('headers_too_large', 'The URL and the headers have more than 64 KiB together. Send less.');
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return new BalsaError('too_large', 'The chunks of the body have too long extensions. Send them without.');
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new BalsaError(
        'request_timeout',
        'The request was not complete in time. Send headers and body without a pause.',
      );
    default:
      return new BalsaError(
        'bad_request',
        `This is not HTTP/1.1 as the server understands it${code === undefined ? '' : ` (${code})`}.`,
      );
  }
}
