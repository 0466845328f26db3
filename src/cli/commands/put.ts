import type { CommandModule } from 'yargs';
import type { WriteOptions } from '../../client/index.ts';
import { type ClientArguments, keyValueJson, openClient, withClientOptions } from '../client-options.ts';
import { CommandError } from '../exit-codes.ts';
import { printable, write, writeJson } from '../output.ts';

interface PutArguments extends ClientArguments {
  readonly key: string;
  readonly value: string | undefined;
  readonly 'if-match': string | undefined;
  readonly 'if-absent': boolean | undefined;
  readonly prev: boolean | undefined;
}

/** Prints the revision of the write, which is what a later `--if-match` wants. */
export const putCommand: CommandModule<object, PutArguments> = {
  command: 'put <key> [value]',
  describe: 'Store a value; without one, or for -, standard input is the value',
  builder: (program) =>
    withClientOptions(program)
      .positional('key', { type: 'string', demandOption: true })
      .positional('value', { type: 'string' })
      .option('if-match', {
        type: 'string',
        requiresArg: true,
        describe: 'Only if the key has this revision, or exists (*)',
      })
      .option('if-absent', { type: 'boolean', describe: 'Only if there is no such key' })
      .option('prev', { type: 'boolean', describe: 'Print also what was replaced' })
      .example('$0 put config/color green', 'prints the revision')
      .example('$0 put config/color blue --if-match 17', 'only if nobody changed it since revision 17')
      .example('$0 put backup/db < dump.bin', 'any bytes, from standard input')
      .example('$0 put -- -k -v', 'after -- nothing is a flag'),
  handler: async (given) => {
    const options: WriteOptions = { ...conditionOf(given), previous: given.prev === true };
    const value = given.value === undefined || given.value === '-' ? await standardInput() : given.value;
    const { previous, ...result } = await openClient(given).put(given.key, value, options);
    switch (given.output) {
      case 'json':
        return writeJson({ key: given.key, ...result, ...(previous && { prevKv: keyValueJson(previous) }) });
      case 'table':
        return write(
          `${result.created ? 'created' : 'replaced'} ${given.key} at revision ${result.revision}\n${previous ? `it was: ${printable(previous.value)}\n` : ''}`,
        );
      default:
        await write(`${result.revision}\n`);
        if (previous !== undefined) await write(previous.value);
    }
  },
};

/** `--if-match` and `--if-absent`, of `put` and `del`. */
export function conditionOf(given: {
  readonly 'if-match'?: string | undefined;
  readonly 'if-absent'?: boolean | undefined;
}): WriteOptions {
  const ifMatch = given['if-match'];
  if (ifMatch !== undefined && given['if-absent'] === true) {
    throw new CommandError('--if-match and --if-absent contradict each other; give one of them');
  }
  if (given['if-absent'] === true) return { ifAbsent: true };
  if (ifMatch === undefined) return {};
  if (ifMatch === '*') return { ifMatch };
  // A revision, also as an ETag has it.
  const digits = /^"?(\d{1,15})"?$/.exec(ifMatch)?.[1];
  if (digits === undefined) throw new CommandError(`--if-match: must be a revision such as 17, or *, not "${ifMatch}"`);
  return { ifMatch: Number(digits) };
}

/** More than any member takes, so that the answer comes from the server and the memory has a bound here. */
const inputBytesMax = 64 * 1024 * 1024;

async function standardInput(): Promise<Uint8Array> {
  if (process.stdin.isTTY) process.stderr.write('balsa: reading the value from the terminal; end it with Ctrl-D\n');
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > inputBytesMax)
      throw new CommandError(`the value on standard input is longer than ${inputBytesMax} bytes`);
  }
  return Buffer.concat(chunks);
}
