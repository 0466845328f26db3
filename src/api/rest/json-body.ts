import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { BalsaError } from '../../contract/errors.ts';
import { refuseCrossOrigin } from './cross-origin.ts';
import { readBody } from './request-body.ts';

/** For bodies that name a number or two. */
export const smallBodyBytesMax = 16 * 1024;

/**
 * Objects and lists of one body. Each takes two bytes to write and about fifty to keep, so the size of the body alone is
 * no bound for the memory.
 */
const containersMax = 65_536;

/** A body that is smaller cannot hold so many that it matters. */
const countedFromBytes = 64 * 1024;

/**
 * The body of a request as JSON, whatever its content type: curl's `-d` sends that of a form.
 *
 * @throws BalsaError `bad_request`, `too_large`.
 */
export async function readJson(request: IncomingMessage, bytesMax: number): Promise<unknown> {
  refuseCrossOrigin(request.headers);
  const body = await readBody(request, bytesMax, bodyTooLarge);
  if (body.length === 0) throw new BalsaError('bad_request', 'The body is empty; send a JSON object.');
  // Else what is not UTF-8 would be stored as other bytes than were sent.
  if (!isUtf8(body)) {
    throw new BalsaError(
      'bad_request',
      'The body is not UTF-8. Send bytes that are no text as keyBase64, valueBase64.',
    );
  }
  if (body.length >= countedFromBytes && countContainers(body) > containersMax) {
    throw new BalsaError(
      'too_large',
      `The body has more than ${containersMax} objects and lists. Send fewer operations.`,
    );
  }
  try {
    return JSON.parse(body.toString());
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : 'it cannot be parsed';
    throw new BalsaError('bad_request', `The body is not JSON: ${reason}.`, { cause });
  }
}

/** Opening brackets and braces outside of strings. */
export function countContainers(json: Uint8Array): number {
  let count = 0;
  let inString = false;
  for (let i = 0; i < json.length; i++) {
    const byte = json[i];
    if (byte === 0x22) inString = !inString;
    else if (inString) i += byte === 0x5c ? 1 : 0;
    else if (byte === 0x7b || byte === 0x5b) count++;
  }
  return count;
}

function bodyTooLarge(bytesMax: number, size: string): BalsaError {
  return new BalsaError(
    'too_large',
    `The body may have ${bytesMax} bytes and this one has ${size}. Send fewer operations at a time, and large values that ` +
      'are no text as valueBase64, which is shorter.',
    { extras: { limitBytes: bytesMax } },
  );
}
