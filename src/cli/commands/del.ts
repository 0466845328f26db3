import type { CommandModule } from 'yargs';
import { type ClientArguments, keyValueJson, openClient, withClientOptions } from '../client-options.ts';
import { CommandError, exitCodes } from '../exit-codes.ts';
import { write, writeJson } from '../output.ts';
import { conditionOf } from './put.ts';

interface DelArguments extends ClientArguments {
  readonly key: string;
  readonly prefix: boolean | undefined;
  readonly 'if-match': string | undefined;
  readonly prev: boolean | undefined;
}

/** Prints the number of keys deleted. */
export const delCommand: CommandModule<object, DelArguments> = {
  command: 'del <key>',
  describe: 'Delete a key, or all keys with a prefix in one revision',
  builder: (program) =>
    withClientOptions(program)
      .positional('key', { type: 'string', demandOption: true })
      .option('prefix', { type: 'boolean', describe: 'Delete all keys that begin with <key>' })
      .option('if-match', {
        type: 'string',
        requiresArg: true,
        describe: 'Only if the key has this revision, or exists (*)',
      })
      .option('prev', { type: 'boolean', describe: 'Print also what was deleted' })
      .example('$0 del config/color', 'ends with 3 if there was none')
      .example('$0 del --prefix jobs/', 'prints how many there were'),
  handler: async (given) => {
    const client = openClient(given);
    if (given.prefix === true && (given['if-match'] !== undefined || given.prev === true)) {
      throw new CommandError('--prefix cannot be used with --if-match or --prev, which are for one key');
    }
    const { previous, ...result } =
      given.prefix === true
        ? await client.deletePrefix(given.key)
        : await client.delete(given.key, { ...conditionOf(given), previous: given.prev === true });
    if (given.output === 'json') await writeJson({ ...result, ...(previous && { prevKv: keyValueJson(previous) }) });
    else if (given.output === 'table') await write(`deleted ${result.deleted} at revision ${result.revision}\n`);
    else await write(`${result.deleted}\n`);
    if (given.output !== 'json' && previous !== undefined) await write(previous.value);
    if (given.prefix !== true && result.deleted === 0) {
      throw new CommandError(`there is no key ${given.key}`, exitCodes.keyNotFound);
    }
  },
};
