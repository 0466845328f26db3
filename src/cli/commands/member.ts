import type { CommandModule } from 'yargs';
import { memberAddCommand } from './member-add.ts';
import { memberListCommand } from './member-list.ts';
import { memberPromoteCommand } from './member-promote.ts';
import { memberRemoveCommand } from './member-remove.ts';
import { memberReplaceCommand } from './member-replace.ts';
import { memberUpdateCommand } from './member-update.ts';

const actions = [
  memberListCommand,
  memberAddCommand,
  memberPromoteCommand,
  memberRemoveCommand,
  memberUpdateCommand,
  memberReplaceCommand,
] as const;

/** `list`, `add` and so on, as they are written behind `member`. */
export const memberActionNames: readonly string[] = actions.map((action) => String(action.command).split(' ')[0] ?? '');

export const memberCommand: CommandModule = {
  command: 'member <action>',
  describe: 'See, add, promote, remove, readdress and replace members of the cluster',
  builder: (program) => {
    for (const action of actions) program.command(action as typeof memberCommand);
    return program
      .demandCommand(1)
      .example('$0 member list', 'who belongs to the cluster')
      .example('$0 member add node4 --peer-urls http://10.0.0.4:2380', 'and how to start it')
      .example('$0 member replace node3 --name node4 --peer-urls http://10.0.0.4:2380', 'one for another');
  },
  handler: () => undefined,
};
