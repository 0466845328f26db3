import type { CommandModule } from 'yargs';
import type { Member } from '../../client/index.ts';
import {
  type ClientArguments,
  type ConsistencyArguments,
  consistencyOf,
  openClient,
  withClientOptions,
  withConsistency,
} from '../client-options.ts';
import { table, write, writeJson } from '../output.ts';

export const memberListCommand: CommandModule<object, ClientArguments & ConsistencyArguments> = {
  command: 'list',
  describe: 'Print who belongs to the cluster; balsa status tells how they are',
  builder: (program) =>
    withConsistency(withClientOptions(program))
      .example('$0 member list', 'as a table')
      .example('$0 member list -o simple | cut -f1', 'the ids')
      .example('$0 member list --consistency stale', 'as one member knows them, also without a leader'),
  handler: async (given) => {
    const list = await openClient(given).members.list({ consistency: consistencyOf(given) });
    const members = [...list.members].sort((one, other) => (one.name < other.name ? -1 : 1));
    switch (given.output) {
      case 'json':
        return writeJson({ ...list, members });
      case 'simple':
        for (const member of members) await write(`${cells(member).join('\t')}\n`);
        return;
      default:
        await write(
          table(
            ['ID', 'NAME', 'ROLE', 'PEER URLS', 'CLIENT URLS'],
            members.map((member) => cells(member).map((cell) => cell || '-')),
          ),
        );
    }
  },
};

/** A member that has never started has told neither its client URLs nor, perhaps, its name. */
function cells({ id, name, role, peerUrls, clientUrls }: Member): string[] {
  return [id, name, role, peerUrls.join(','), clientUrls.join(',')];
}
