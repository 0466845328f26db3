import type { CommandModule } from 'yargs';
import { BalsaError, type Member, type Members, type Membership } from '../../client/index.ts';
import { type ClientArguments, openClient, withClientOptions } from '../client-options.ts';
import { memberOf, nameOf } from '../member-lookup.ts';
import { write, writeJson } from '../output.ts';

interface MemberRemoveArguments extends ClientArguments {
  readonly member: string;
}

export const memberRemoveCommand: CommandModule<object, MemberRemoveArguments> = {
  command: 'remove <member>',
  describe: 'Remove a member, up or down, for good',
  builder: (program) =>
    withClientOptions(program)
      .positional('member', { type: 'string', demandOption: true, describe: 'Its name or id' })
      .example('$0 member remove node3', 'it stops, and its data directory may be deleted'),
  handler: async (given) => {
    const { members } = openClient(given);
    const member = memberOf((await members.list()).members, given.member);
    const left = await members.remove(member.id).catch((reason: unknown) => unlessGone(members, member, reason));
    switch (given.output) {
      case 'json':
        return writeJson({ ...left, removed: member });
      case 'simple':
        return write(`${member.id}\n`);
      default: {
        const voters = left.members.filter(({ role }) => role === 'voter').length;
        await write(
          `${nameOf(member)} is removed; ${voters} ${voters === 1 ? 'member votes' : 'members vote'}. ` +
            'It stops by itself; its id is never used again, and its data directory is of no use any more.\n',
        );
      }
    }
  },
};

/** An answer that was lost, as that of a leader that removed itself: the members tell whether it happened. */
async function unlessGone(members: Members, { id }: Member, reason: unknown): Promise<Membership> {
  if (!(reason instanceof BalsaError) || reason.kind.definite) throw reason;
  const left = await members.list();
  if (left.members.some((member) => member.id === id)) throw reason;
  return left;
}
