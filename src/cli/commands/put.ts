import type { CommandModule } from 'yargs';
import type { PutOptions, WriteOptions } from '../../client/index.ts';
import { leaseId, given as option } from '../argument-values.ts';
import { type ClientArguments, keyValueJson, openClient, withClientOptions } from '../client-options.ts';
import { CommandError } from '../exit-codes.ts';
import { printable, write, writeJson } from '../output.ts';
import { standardInput } from '../standard-input.ts';

interface PutArguments extends ClientArguments {
  readonly key: string;
  readonly value: string | undefined;
  readonly 'if-match': string | undefined;
  readonly 'if-absent': boolean | undefined;
  readonly prev: boolean | undefined;
  readonly lease: string | undefined;
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
      .option('lease', { type: 'string', requiresArg: true, describe: 'The key is deleted when this lease ends' })
      .example('$0 put config/color green', 'prints the revision')
      .example('$0 put config/color blue --if-match 17', 'only if nobody changed it since revision 17')
      .example('$0 put backup/db < dump.bin', 'any bytes, from standard input')
      .example('$0 put service/1 here --lease 694d5765fc71500b', 'an id as balsa lease grant prints it')
      .example('$0 put -- -k -v', 'after -- nothing is a flag'),
  handler: async (given) => {
    const options: PutOptions = {
      ...conditionOf(given),
      ...option('lease', given.lease, (text) => leaseId('--lease', text)),
      previous: given.prev === true,
    };
    const value = given.value === undefined || given.value === '-' ? await standardInput('the value') : given.value;
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
