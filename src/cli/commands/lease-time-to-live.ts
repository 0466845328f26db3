import type { CommandModule } from 'yargs';
import { formatLeaseId } from '../../client/index.ts';
import { leaseId } from '../argument-values.ts';
import { bytesJson, type ClientArguments, openClient, withClientOptions } from '../client-options.ts';
import { printable, write, writeJson } from '../output.ts';

interface LeaseTimeToLiveArguments extends ClientArguments {
  readonly id: string;
  readonly keys: boolean | undefined;
}

/** Prints the seconds left, and the keys a line each. */
export const leaseTimeToLiveCommand: CommandModule<object, LeaseTimeToLiveArguments> = {
  command: 'timetolive <id>',
  describe: 'Print the seconds that are left of a lease',
  builder: (program) =>
    withClientOptions(program)
      .positional('id', { type: 'string', demandOption: true })
      .option('keys', { type: 'boolean', describe: 'Print also the keys that end with it' })
      .example('$0 lease timetolive 694d5765fc71500b', 'such as 17')
      .example('$0 lease timetolive 694d5765fc71500b --keys -o json', 'with its keys'),
  handler: async (given) => {
    const id = leaseId('<id>', given.id);
    const hasKeys = given.keys === true;
    const { ttl, grantedTtl, keys } = await openClient(given).leases.timeToLive(id, { keys: hasKeys });
    switch (given.output) {
      case 'json':
        return writeJson({
          id: formatLeaseId(id),
          ttl,
          grantedTtl,
          ...(hasKeys && { keys: keys.map((key) => bytesJson('key', key)) }),
        });
      case 'table':
        return write(
          `lease ${formatLeaseId(id)} granted with TTL(${grantedTtl}s), remaining(${ttl}s)${hasKeys ? `, attached keys([${keys.map(printable).join(' ')}])` : ''}\n`,
        );
      default:
        await write(`${[ttl, ...keys.map(printable)].join('\n')}\n`);
    }
  },
};
