import type { CommandModule } from 'yargs';
import { given as option, positive } from '../argument-values.ts';
import {
  type ClientArguments,
  type ConsistencyArguments,
  consistencyOf,
  keyValueHeader,
  keyValueJson,
  openClient,
  withClientOptions,
  withConsistency,
} from '../client-options.ts';
import { CommandError, exitCodes } from '../exit-codes.ts';
import { printable, table, write, writeJson } from '../output.ts';

interface GetArguments extends ClientArguments, ConsistencyArguments {
  readonly key: string;
  readonly rev: string | undefined;
}

/** Prints the value's bytes as they are, so that `balsa get k > file` is the file that was put. */
export const getCommand: CommandModule<object, GetArguments> = {
  command: 'get <key>',
  describe: 'Print a value; byte for byte, with a line end only on a terminal',
  builder: (program) =>
    withConsistency(withClientOptions(program))
      .positional('key', { type: 'string', demandOption: true })
      .option('rev', { type: 'string', requiresArg: true, describe: 'As it was at this revision' })
      .example('$0 get config/color', 'the value')
      .example('$0 get config/color -o json', 'with its revisions')
      .example('$0 get config/color --rev 17', 'what it was at revision 17')
      .example('$0 get config/color --consistency stale', 'answers also on a member without a leader'),
  handler: async (given) => {
    const kv = await openClient(given).get(given.key, {
      consistency: consistencyOf(given),
      ...option('revision', given.rev, (text) => positive('--rev', text)),
    });
    if (kv === undefined) {
      const when = given.rev === undefined ? 'there is' : `at revision ${given.rev} there was`;
      throw new CommandError(`${when} no key ${given.key}`, exitCodes.keyNotFound);
    }
    switch (given.output) {
      case 'json':
        return writeJson(keyValueJson(kv));
      case 'table': {
        const row = [printable(kv.key), printable(kv.value), kv.createRevision, kv.modRevision, kv.version];
        return write(table(keyValueHeader, [row.map(String)]));
      }
      default:
        await write(kv.value);
        if (process.stdout.isTTY) await write('\n');
    }
  },
};
