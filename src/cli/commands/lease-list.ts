import type { CommandModule } from 'yargs';
import { formatLeaseId } from '../../client/index.ts';
import { type ClientArguments, openClient, withClientOptions } from '../client-options.ts';
import { table, write, writeJson } from '../output.ts';

/** Prints the ids, one a line. */
export const leaseListCommand: CommandModule<object, ClientArguments> = {
  command: 'list',
  describe: 'Print the ids of all leases',
  builder: (program) =>
    withClientOptions(program).example('$0 lease list | xargs -n1 balsa lease timetolive', 'what is left of each'),
  handler: async (given) => {
    const ids = (await openClient(given).leases.list()).map(formatLeaseId);
    switch (given.output) {
      case 'json':
        return writeJson({ leases: ids.map((id) => ({ id })) });
      case 'table':
        return write(
          table(
            ['ID'],
            ids.map((id) => [id]),
          ),
        );
      default:
        for (const id of ids) await write(`${id}\n`);
    }
  },
};
