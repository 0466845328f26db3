import type { IncomingHttpHeaders } from 'node:http';
import { BalsaError } from '../../contract/errors.ts';

/** The client's name for a write, which makes it safe to send again; see `WriteOptions`. */
export function idempotencyKeyOf(headers: IncomingHttpHeaders): string | undefined {
  const token = headers['idempotency-key'];
  if (token === undefined) return undefined;
  // No space: Node joins headers that are sent twice with ", ", and it must not be left open which of them counts.
  if (typeof token === 'string' && /^[\x21-\x7e]{1,256}$/.test(token)) return token;
  throw new BalsaError(
    'bad_request',
    'Idempotency-Key must be sent once, as 1 to 256 printable characters of ASCII without spaces, such as a UUID.',
    {
      extras: { parameter: 'Idempotency-Key' },
    },
  );
}

/** For the schema of every route that writes. */
export const idempotencyKeyHeader = {
  'Idempotency-Key': {
    type: 'string',
    minLength: 1,
    maxLength: 256,
    description:
      'Names the write, for a client that sends it again because it got no answer: it is applied once, and the answer ' +
      'is that of the first time.',
  },
} as const;
