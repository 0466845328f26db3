import type { CommandModule } from 'yargs';
import { peerUrls } from '../argument-values.ts';
import { type ClientArguments, openClient, withClientOptions } from '../client-options.ts';
import { nameOf } from '../member-lookup.ts';
import { write, writeJson } from '../output.ts';
import { shellLine, startLines } from '../start-lines.ts';

interface MemberAddArguments extends ClientArguments {
  readonly name: string;
  readonly 'peer-urls': string;
  readonly learner: boolean | undefined;
}

/** Prints the very command to start the new member with. */
export const memberAddCommand: CommandModule<object, MemberAddArguments> = {
  command: 'add <name>',
  describe: 'Add a member, which is then to be started',
  builder: (program) =>
    withClientOptions(program)
      .positional('name', { type: 'string', demandOption: true, describe: 'Its --name' })
      .option('peer-urls', {
        type: 'string',
        requiresArg: true,
        demandOption: true,
        describe: 'Where the other members reach it, separated by commas',
      })
      .option('learner', {
        type: 'boolean',
        describe: 'It stays a learner, which copies and does not vote, until balsa member promote',
      })
      .example('$0 member add node4 --peer-urls http://10.0.0.4:2380', 'votes by itself once it has caught up')
      .example('$0 member add node4 --peer-urls http://10.0.0.4:2380 -o simple', 'prints its id alone'),
  handler: async (given) => {
    const client = openClient(given);
    const added = await client.members.add(peerUrls(given['peer-urls']), {
      name: given.name,
      promote: given.learner === true ? 'manual' : 'auto',
    });
    const { member, members, clusterId } = added;
    const known = members.flatMap(({ clientUrls }) => clientUrls);
    const start = startLines(member, members, known[0] ?? client.endpoints[0] ?? '');
    switch (given.output) {
      case 'json':
        return writeJson({ ...added, start });
      case 'simple':
        return write(`${member.id}\n`);
      default:
        await write(
          `${nameOf(member)} is added to the cluster ${clusterId}, as a learner. It has no vote ` +
            `${given.learner === true ? 'until it is promoted' : 'until it has caught up, which it then gets by itself'}.\n\n` +
            `Start it, with an empty data directory:\n\n  ${shellLine(start.join)}\n\n` +
            `or, as for etcd:\n\n  ${shellLine(start.existing)}\n`,
        );
    }
  },
};
