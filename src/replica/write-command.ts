import { BalsaError } from '../contract/errors.ts';
import { type Command, encodeCommand } from '../mvcc/index.ts';
import type { WriteOptions } from './service.ts';

export type ClientCommand = Exclude<Command, { kind: 'once' }>;

const tokenBytesMax = 256;

/** The command as it goes into the log, under its idempotency key if it has one. */
export function encodeWrite(command: ClientCommand, { idempotencyKey: token }: WriteOptions): Buffer {
  if (token === undefined) return encodeCommand(command);
  const bytes = Buffer.byteLength(token, 'utf8');
  if (bytes === 0 || bytes > tokenBytesMax) {
    throw new BalsaError('bad_request', `The idempotency key has ${bytes} bytes; give it 1 to ${tokenBytesMax}.`, {
      extras: { parameter: 'Idempotency-Key' },
    });
  }
  return encodeCommand({ kind: 'once', token, command });
}
