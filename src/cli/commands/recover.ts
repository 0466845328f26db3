import type { CommandModule } from 'yargs';
import { peerUrls, positive } from '../argument-values.ts';
import { CommandError } from '../exit-codes.ts';
import { givenFlags, type MemberFlags, withMemberFlags, withOfflineTools } from '../offline-tools.ts';
import { type OutputFormat, withOutput, write, writeJson } from '../output.ts';
import { shellLine } from '../start-lines.ts';

interface RecoverArguments extends MemberFlags {
  readonly 'force-new-cluster': boolean | undefined;
  readonly 'bump-revision': string | undefined;
  readonly output: OutputFormat | undefined;
}

/** The last resort, and only for a member that is stopped, of a cluster that has no leader. */
export const recoverCommand: CommandModule<object, RecoverArguments> = {
  command: 'recover',
  describe: 'Make a new cluster of one surviving member, when the quorum is lost for good',
  builder: (program) =>
    withMemberFlags(withOutput(program), ['data-dir', 'config-file', 'name', 'initial-advertise-peer-urls'])
      .option('force-new-cluster', {
        type: 'boolean',
        describe: 'It is meant: what only the other members have is lost, and none of them can come back',
      })
      .option('bump-revision', {
        type: 'string',
        requiresArg: true,
        describe: 'By how much the revision rises, past all that the lost members told; 1000000000 unless said',
      })
      .example(
        '$0 recover --force-new-cluster --data-dir ./balsa-data',
        'the member is stopped; its name and URLs stay',
      )
      .epilogue('Take the member that has come furthest. The others are to be added anew, with empty directories.'),
  handler: async (given) => {
    if (given['force-new-cluster'] !== true) {
      throw new CommandError(
        'recover makes a new cluster of this one member, without what only the others have; say --force-new-cluster ' +
          'if that is meant, and their quorum is lost for good',
      );
    }
    const bump = given['bump-revision'] === undefined ? undefined : positive('--bump-revision', given['bump-revision']);
    const { dataDir, name, urls, recovered } = await withOfflineTools(
      async ({ loadConfig, directoryFacts, findLeader, recover, groupId }) => {
        const { config } = loadConfig({ flags: givenFlags(given), environment: process.env });
        const { dataDir } = config;
        const facts = await directoryFacts(dataDir);
        const leader = facts && (await findLeader(facts, electionsMs));
        if (leader !== undefined) throw ledCluster(leader.url);
        const name = given.name ?? facts?.name ?? config.name;
        const known =
          facts !== undefined && facts.peerUrls.length > 0 ? facts.peerUrls : config.initialAdvertisePeerUrls;
        const urls =
          given['initial-advertise-peer-urls'] === undefined ? known : peerUrls(given['initial-advertise-peer-urls']);
        const recovered = await recover({ dataDir, groupId, name, peerUrls: urls, bumpRevision: bump });
        // One that was cut off and went on has its name from the first time.
        return { dataDir, name: (await directoryFacts(dataDir))?.name ?? name, urls, recovered };
      },
    );
    const { clusterId, memberId, revision, uncommitted, kept } = recovered;
    if (given.output === 'json') return writeJson({ dataDir, name, peerUrls: urls, ...recovered });
    if (given.output === 'simple') return write(`${clusterId}\t${memberId}\n`);
    await write(
      `${name} (${memberId}) is now the only member of the new cluster ${clusterId}` +
        `${revision === undefined ? '' : `, which goes on from revision ${revision}`}.\n` +
        (uncommitted === 0
          ? ''
          : `${uncommitted} entries of its log were not known to be decided; they count now, acknowledged or not.\n`) +
        (kept === undefined ? '' : `What was there before is kept in ${kept}.\n`) +
        `\nStart it with the flags it always has:\n\n  ${shellLine(['balsa', 'serve', '--name', name, '--data-dir', dataDir])} …\n\n` +
        'Then add the others anew, each with an empty data directory: balsa member add NAME --peer-urls URL\n',
    );
  },
};

/** Several elections of the usual length. */
const electionsMs = 5000;

/** Of such a cluster nothing is lost, and a second one would be made beside it. */
function ledCluster(url: string): CommandError {
  return new CommandError(
    `the cluster has a leader, as ${url} says: its quorum is not lost. Mend it with balsa member replace, or stop the ` +
      'other members first if a new cluster is meant all the same',
  );
}
