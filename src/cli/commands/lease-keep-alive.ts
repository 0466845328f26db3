import { once } from 'node:events';
import type { CommandModule } from 'yargs';
import { formatLeaseId } from '../../client/index.ts';
import { leaseId } from '../argument-values.ts';
import { type ClientArguments, openClient, withClientOptions } from '../client-options.ts';
import { write, writeJson } from '../output.ts';
import { untilStopped } from '../until-stopped.ts';

interface LeaseKeepAliveArguments extends ClientArguments {
  readonly id: string;
  readonly once: boolean | undefined;
}

/** Prints a line for each renewal; fails when the lease is lost, and ends with 0 when it is stopped. */
export const leaseKeepAliveCommand: CommandModule<object, LeaseKeepAliveArguments> = {
  command: 'keep-alive <id>',
  describe: 'Renew a lease until Ctrl-C, at a third of its time',
  builder: (program) =>
    withClientOptions(program)
      .positional('id', { type: 'string', demandOption: true })
      .option('once', { type: 'boolean', describe: 'Renew it once and end' })
      .example('$0 lease keep-alive 694d5765fc71500b', 'ends with 1 when the lease is lost')
      .example('$0 lease keep-alive 694d5765fc71500b --once', 'its whole time again'),
  handler: async (given) => {
    const id = leaseId('<id>', given.id);
    const { leases } = openClient(given);
    const show = (ttl: number): Promise<void> =>
      given.output === 'json'
        ? writeJson({ id: formatLeaseId(id), ttl })
        : write(`lease ${formatLeaseId(id)} kept alive with TTL(${ttl}s)\n`);
    if (given.once === true) return show((await leases.keepAlive(id)).ttl);
    await untilStopped(async (signal) => {
      await using keeper = await leases.keep(id, { signal, onRenewed: (ttl) => void show(ttl) });
      await Promise.race([aborted(signal), aborted(keeper.lost)]);
      if (!signal.aborted) throw keeper.lost.reason;
    });
  },
};

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}
