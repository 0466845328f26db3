import type { CommandModule } from 'yargs';
import type { BalsaClient, DeleteResult } from '../../client/index.ts';
import { type ClientArguments, keyValueJson, openClient, withClientOptions } from '../client-options.ts';
import { CommandError, exitCodes } from '../exit-codes.ts';
import { write, writeJson } from '../output.ts';
import { conditionOf } from './put.ts';

interface DelArguments extends ClientArguments {
  readonly key: string | undefined;
  readonly prefix: boolean | undefined;
  readonly all: boolean | undefined;
  readonly 'if-match': string | undefined;
  readonly prev: boolean | undefined;
}

/** Prints the number of keys deleted. */
export const delCommand: CommandModule<object, DelArguments> = {
  command: 'del [key]',
  describe: 'Delete a key, or all keys with a prefix in one revision',
  builder: (program) =>
    withClientOptions(program)
      .positional('key', { type: 'string' })
      .option('prefix', { type: 'boolean', describe: 'Delete all keys that begin with <key>' })
      .option('all', { type: 'boolean', describe: 'Delete every key there is' })
      .option('if-match', {
        type: 'string',
        requiresArg: true,
        describe: 'Only if the key has this revision, or exists (*)',
      })
      .option('prev', { type: 'boolean', describe: 'Print also what was deleted' })
      .example('$0 del config/color', 'ends with 3 if there was none')
      .example('$0 del --prefix jobs/', 'prints how many there were'),
  handler: async (given) => {
    const { previous, ...result } = await remove(openClient(given), given);
    if (given.output === 'json') return writeJson({ ...result, ...(previous && { prevKv: keyValueJson(previous) }) });
    await write(
      given.output === 'table' ? `deleted ${result.deleted} at revision ${result.revision}\n` : `${result.deleted}\n`,
    );
    if (previous !== undefined) await write(previous.value);
  },
};

async function remove(client: BalsaClient, given: DelArguments): Promise<DeleteResult> {
  const isRange = given.prefix === true || given.all === true;
  if (isRange && (given['if-match'] !== undefined || given.prev === true)) {
    throw new CommandError('--if-match and --prev are for one key; leave out --prefix and --all, or these');
  }
  if (given.all === true) {
    if (given.key !== undefined || given.prefix === true)
      throw new CommandError('--all deletes every key; leave out the key and --prefix');
    return client.deleteRange({});
  }
  if (given.key === undefined) throw new CommandError('balsa del needs a key; see balsa del --help');
  if (given.prefix === true) {
    // An unset variable in a script must not empty the store.
    if (given.key === '') throw new CommandError('the prefix is empty; to delete every key, say balsa del --all');
    return client.deletePrefix(given.key);
  }
  const result = await client.delete(given.key, { ...conditionOf(given), previous: given.prev === true });
  if (result.deleted === 0) throw new CommandError(`there is no key ${given.key}`, exitCodes.keyNotFound);
  return result;
}
