import type { CommandModule } from 'yargs';
import { leaseGrantCommand } from './lease-grant.ts';
import { leaseKeepAliveCommand } from './lease-keep-alive.ts';
import { leaseListCommand } from './lease-list.ts';
import { leaseRevokeCommand } from './lease-revoke.ts';
import { leaseTimeToLiveCommand } from './lease-time-to-live.ts';

const actions = [
  leaseGrantCommand,
  leaseRevokeCommand,
  leaseTimeToLiveCommand,
  leaseListCommand,
  leaseKeepAliveCommand,
] as const;

/** `grant`, `revoke` and so on, as they are written behind `lease`. */
export const leaseActionNames: readonly string[] = actions.map((action) => String(action.command).split(' ')[0] ?? '');

export const leaseCommand: CommandModule = {
  command: 'lease <action>',
  describe: 'Grant, renew, look at and revoke leases; keys that are put with --lease end with theirs',
  builder: (program) => {
    for (const action of actions) program.command(action as typeof leaseCommand);
    return program
      .demandCommand(1)
      .example('$0 lease grant 30', 'prints the id')
      .example('$0 put service/1 here --lease 694d5765fc71500b', 'the key is deleted when the lease ends')
      .example('$0 lease keep-alive 694d5765fc71500b', 'renews it until Ctrl-C');
  },
  handler: () => undefined,
};
