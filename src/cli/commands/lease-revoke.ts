import type { CommandModule } from 'yargs';
import { formatLeaseId } from '../../client/index.ts';
import { leaseId } from '../argument-values.ts';
import { type ClientArguments, openClient, withClientOptions } from '../client-options.ts';
import { write, writeJson } from '../output.ts';

interface LeaseRevokeArguments extends ClientArguments {
  readonly id: string;
}

/** Prints the number of keys deleted. */
export const leaseRevokeCommand: CommandModule<object, LeaseRevokeArguments> = {
  command: 'revoke <id>',
  describe: 'End a lease now and delete its keys, in one revision',
  builder: (program) =>
    withClientOptions(program)
      .positional('id', { type: 'string', demandOption: true })
      .example('$0 lease revoke 694d5765fc71500b', 'prints how many keys were deleted'),
  handler: async (given) => {
    const id = leaseId('<id>', given.id);
    const result = await openClient(given).leases.revoke(id);
    switch (given.output) {
      case 'json':
        return writeJson(result);
      case 'table':
        return write(`lease ${formatLeaseId(id)} revoked, deleted ${result.deleted} at revision ${result.revision}\n`);
      default:
        await write(`${result.deleted}\n`);
    }
  },
};
