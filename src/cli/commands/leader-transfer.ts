import type { CommandModule } from 'yargs';
import { type ClientArguments, openClient, withClientOptions } from '../client-options.ts';
import { memberOf, nameOf } from '../member-lookup.ts';
import { write, writeJson } from '../output.ts';

interface LeaderTransferArguments extends ClientArguments {
  readonly to: string | undefined;
}

/** Prints who leads now. */
export const leaderTransferCommand: CommandModule<object, LeaderTransferArguments> = {
  command: 'transfer',
  describe: 'Hand leadership over, and wait until it has been taken',
  builder: (program) =>
    withClientOptions(program)
      .option('to', {
        type: 'string',
        requiresArg: true,
        describe: 'Name or id of a voter; without it, the most advanced one',
      })
      .example('$0 leader transfer', 'before the machine of the leader is restarted')
      .example('$0 leader transfer --to node2', 'to that one'),
  handler: async (given) => {
    const { members } = openClient(given);
    const list = await members.list();
    const to = given.to === undefined ? undefined : memberOf(list.members, given.to).id;
    const { leader } = await members.moveLeader(to);
    const member = list.members.find(({ id }) => id === leader) ?? { id: leader, name: '' };
    switch (given.output) {
      case 'json':
        return writeJson({ leader, name: member.name });
      case 'simple':
        return write(`${leader}\n`);
      default:
        await write(`${nameOf(member)} leads.\n`);
    }
  },
};
