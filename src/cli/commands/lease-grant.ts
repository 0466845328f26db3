import type { CommandModule } from 'yargs';
import { formatLeaseId } from '../../client/index.ts';
import { leaseId, given as option, positive } from '../argument-values.ts';
import { type ClientArguments, openClient, withClientOptions } from '../client-options.ts';
import { write, writeJson } from '../output.ts';

interface LeaseGrantArguments extends ClientArguments {
  readonly ttl: string;
  readonly id: string | undefined;
}

/** Prints the id, which `put --lease` and the other commands want. */
export const leaseGrantCommand: CommandModule<object, LeaseGrantArguments> = {
  command: 'grant <ttl>',
  describe: 'Make a lease that ends after so many seconds',
  builder: (program) =>
    withClientOptions(program)
      .positional('ttl', { type: 'string', demandOption: true, describe: 'Seconds' })
      .option('id', { type: 'string', requiresArg: true, describe: 'The id, hexadecimal, in place of a new one' })
      .example('$0 lease grant 30', 'prints the id, such as 694d5765fc71500b')
      .example('$0 put service/1 here --lease $(balsa lease grant 30)', 'a key for 30 seconds'),
  handler: async (given) => {
    const { id, ttl } = await openClient(given).leases.grant(
      positive('<ttl>', given.ttl),
      option('id', given.id, (text) => leaseId('--id', text)),
    );
    switch (given.output) {
      case 'json':
        return writeJson({ id: formatLeaseId(id), ttl });
      case 'table':
        return write(`lease ${formatLeaseId(id)} granted with TTL(${ttl}s)\n`);
      default:
        await write(`${formatLeaseId(id)}\n`);
    }
  },
};
