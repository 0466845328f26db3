import { CommandError } from './exit-codes.ts';

/** More than any member takes, so that the answer comes from the server and the memory has a bound here. */
const inputBytesMax = 64 * 1024 * 1024;

/** All of standard input; `what` is what it holds, for people at a terminal. */
export async function standardInput(what: string): Promise<Buffer> {
  if (process.stdin.isTTY) process.stderr.write(`balsa: reading ${what} from the terminal; end it with Ctrl-D\n`);
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > inputBytesMax) {
      throw new CommandError(`${what} on standard input is longer than ${inputBytesMax} bytes`);
    }
  }
  return Buffer.concat(chunks);
}
