import type { CommandModule } from 'yargs';
import { peerUrls } from '../argument-values.ts';
import { type ClientArguments, openClient, withClientOptions } from '../client-options.ts';
import { memberOf, nameOf } from '../member-lookup.ts';
import { write, writeJson } from '../output.ts';

interface MemberUpdateArguments extends ClientArguments {
  readonly member: string;
  readonly 'peer-urls': string;
}

export const memberUpdateCommand: CommandModule<object, MemberUpdateArguments> = {
  command: 'update <member>',
  describe: 'Change where the other members reach one',
  builder: (program) =>
    withClientOptions(program)
      .positional('member', { type: 'string', demandOption: true, describe: 'Its name or id' })
      .option('peer-urls', {
        type: 'string',
        requiresArg: true,
        demandOption: true,
        describe: 'Where it is from now on, separated by commas',
      })
      .example('$0 member update node3 --peer-urls http://10.0.0.9:2380', 'it has moved, with its data directory'),
  handler: async (given) => {
    const { members } = openClient(given);
    const { id } = memberOf((await members.list()).members, given.member);
    const updated = await members.update(id, peerUrls(given['peer-urls']));
    if (given.output === 'json') return writeJson(updated);
    const { member } = updated;
    await write(given.output === 'simple' ? `${id}\n` : `${nameOf(member)} is at ${member.peerUrls.join(', ')}.\n`);
  },
};
