import { BalsaError } from '../contract/errors.ts';
import type { OpenStream } from './exchange.ts';
import { readWithin } from './read-within.ts';

const newline = 0x0a;

/**
 * The lines of a stream, read only as they are taken: a slow reader fills the connection's window and then the server
 * waits. What is held is one line and one chunk. A last line without an end was cut off, and is left out.
 *
 * @throws BalsaError `unavailable` if the connection breaks, or nothing comes for `silenceMs` while somebody waits: the
 *   other side may be gone without a word. `too_large` for a line of more than `lineBytesMax`.
 */
export async function* linesOf(
  stream: OpenStream,
  limits: { readonly silenceMs: number; readonly lineBytesMax: number },
): AsyncGenerator<string, void, undefined> {
  let line: Uint8Array[] = [];
  let lineBytes = 0;
  for (;;) {
    const chunk = await readWithin(stream, limits.silenceMs);
    if (chunk === undefined) return;
    let from = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, from)) {
      yield textOf([...line, chunk.subarray(from, end)]);
      line = [];
      lineBytes = 0;
      from = end + 1;
    }
    if (from < chunk.length) line.push(chunk.subarray(from));
    lineBytes += chunk.length - from;
    if (lineBytes > limits.lineBytesMax) {
      throw new BalsaError('too_large', `${stream.endpoint} sent a line of more than ${limits.lineBytesMax} bytes.`);
    }
  }
}

function textOf(parts: readonly Uint8Array[]): string {
  const decoder = new TextDecoder();
  return parts.map((part) => decoder.decode(part, { stream: true })).join('') + decoder.decode();
}
