import type { CommandModule } from 'yargs';
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
}

/** Prints the value's bytes as they are, so that `balsa get k > file` is the file that was put. */
export const getCommand: CommandModule<object, GetArguments> = {
  command: 'get <key>',
  describe: 'Print a value; byte for byte, with a line end only on a terminal',
  builder: (program) =>
    withConsistency(withClientOptions(program))
      .positional('key', { type: 'string', demandOption: true })
      .example('$0 get config/color', 'the value')
      .example('$0 get config/color -o json', 'with its revisions')
      .example('$0 get config/color --consistency stale', 'answers also on a member without a leader'),
  handler: async (given) => {
    const kv = await openClient(given).get(given.key, { consistency: consistencyOf(given) });
    if (kv === undefined) throw new CommandError(`there is no key ${given.key}`, exitCodes.keyNotFound);
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
