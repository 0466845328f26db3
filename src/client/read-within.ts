import { BalsaError } from '../contract/errors.ts';
import type { OpenStream } from './exchange.ts';
import { codeOf } from './failures.ts';
import { TimeUp, within } from './within.ts';

/**
 * The next bytes of a stream; undefined at its end.
 *
 * @throws BalsaError `unavailable` if the connection breaks, or nothing comes for `silenceMs`: the other side may be gone
 *   without a word.
 */
export async function readWithin(stream: OpenStream, silenceMs: number): Promise<Uint8Array | undefined> {
  try {
    const { value } = await within({ timeoutMs: silenceMs, signal: undefined }, () => stream.read());
    return value;
  } catch (cause) {
    const what =
      cause instanceof TimeUp ? `has been silent for ${silenceMs} ms` : `broke the connection (${codeOf(cause)})`;
    throw new BalsaError('unavailable', `${stream.endpoint} ${what}.`, { cause });
  }
}
