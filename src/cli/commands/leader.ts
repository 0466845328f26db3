import type { CommandModule } from 'yargs';
import { leaderTransferCommand } from './leader-transfer.ts';

const actions = [leaderTransferCommand] as const;

export const leaderActionNames: readonly string[] = actions.map((action) => String(action.command).split(' ')[0] ?? '');

export const leaderCommand: CommandModule = {
  command: 'leader <action>',
  describe: 'Move leadership to another member',
  builder: (program) => {
    for (const action of actions) program.command(action as typeof leaderCommand);
    return program
      .demandCommand(1)
      .example('$0 leader transfer', 'to the most advanced member')
      .example('$0 leader transfer --to node2', 'to that one');
  },
  handler: () => undefined,
};
