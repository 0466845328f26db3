import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { BalsaError } from '../../contract/errors.ts';

const empty = Buffer.alloc(0);

/**
 * The bytes of a request's body, whatever their type. Fastify's own reading is not used for values: it looks at the
 * content type, and refuses one that it cannot parse.
 *
 * A body above the limit is refused at once and the rest of it discarded as it comes. To close the connection instead
 * would lose the answer: the operating system drops it when unread data arrives. `requestTimeout` ends a body that
 * never ends.
 */
export async function readBody(
  request: IncomingMessage,
  bytesMax: number,
  tooLarge: TooLarge = valueTooLarge,
): Promise<Buffer> {
  const declared = request.headers['content-length'];
  if (declared === undefined && request.headers['transfer-encoding'] === undefined) return empty;
  if (declared !== undefined && Number(declared) > bytesMax) {
    discard(request);
    throw tooLarge(bytesMax, `${declared} bytes`);
  }
  return collect(request, bytesMax, tooLarge);
}

export function isDeclaredTooLarge(request: IncomingMessage, bytesMax: number): boolean {
  return Number(request.headers['content-length'] ?? 0) > bytesMax;
}

/**
 * Some requests do not say what a body would mean, so none is read; and one that is not read must not be there: the
 * rest of it could still turn out to be malformed, when the request has already been done.
 */
export function refuseBody(request: { readonly headers: IncomingHttpHeaders }): void {
  const declared = request.headers['content-length'];
  if ((declared === undefined || declared === '0') && request.headers['transfer-encoding'] === undefined) return;
  throw new BalsaError('bad_request', 'This request takes no body; leave it out.');
}

function collect(request: IncomingMessage, bytesMax: number, tooLarge: TooLarge): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const onData = (chunk: Buffer): void => {
      length += chunk.length;
      if (length <= bytesMax) {
        chunks.push(chunk);
        return;
      }
      chunks.length = 0;
      request.off('data', onData);
      discard(request);
      reject(tooLarge(bytesMax, 'more'));
    };
    request.on('data', onData);
    // A copy also where there is one chunk: a chunk holds on to the 64 KiB that the socket read with it.
    request.on('end', () => resolve(Buffer.concat(chunks, length)));
    request.on('error', (cause) => {
      reject(new BalsaError('bad_request', 'The body ended before it was complete.', { cause }));
    });
  });
}

/** Connections that still bring the body of a request that is answered. */
const discarding = new WeakSet<Socket>();

/** Whether what is wrong on the connection is about a request that is answered already. */
export function isDiscarding(socket: Socket): boolean {
  return discarding.has(socket);
}

function discard(request: IncomingMessage): void {
  const { socket } = request;
  discarding.add(socket);
  request.once('end', () => discarding.delete(socket));
  request.resume();
}

/** The error for a body that has more bytes than the limit: `size` says how many, as far as that is known. */
export type TooLarge = (bytesMax: number, size: string) => BalsaError;

function valueTooLarge(bytesMax: number, size: string): BalsaError {
  return new BalsaError(
    'too_large',
    `The value may have ${bytesMax} bytes and this one has ${size}. Split it, or raise --max-request-bytes on all members.`,
    { extras: { limitBytes: bytesMax } },
  );
}
