import type { CommandModule } from 'yargs';
import { type ClientArguments, openClient, withClientOptions } from '../client-options.ts';
import { memberOf, nameOf } from '../member-lookup.ts';
import { write, writeJson } from '../output.ts';

interface MemberPromoteArguments extends ClientArguments {
  readonly member: string;
}

export const memberPromoteCommand: CommandModule<object, MemberPromoteArguments> = {
  command: 'promote <member>',
  describe: 'Let a learner vote, once it has caught up',
  builder: (program) =>
    withClientOptions(program)
      .positional('member', { type: 'string', demandOption: true, describe: 'Its name or id' })
      .example('$0 member promote node4', 'one that was added with --learner'),
  handler: async (given) => {
    const { members } = openClient(given);
    const { id } = memberOf((await members.list()).members, given.member);
    const promoted = await members.promote(id);
    if (given.output === 'json') return writeJson(promoted);
    await write(given.output === 'simple' ? `${id}\n` : `${nameOf(promoted.member)} votes.\n`);
  },
};
