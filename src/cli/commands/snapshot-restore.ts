import type { CommandModule } from 'yargs';
import { positive } from '../argument-values.ts';
import { givenFlags, type MemberFlags, withMemberFlags, withOfflineTools } from '../offline-tools.ts';
import { type OutputFormat, withOutput, write, writeJson } from '../output.ts';
import { ProgressLine } from '../progress-line.ts';
import { shellLine } from '../start-lines.ts';

interface SnapshotRestoreArguments extends MemberFlags {
  readonly file: string;
  readonly 'bump-revision': string | undefined;
  readonly output: OutputFormat | undefined;
}

/** Makes a data directory; nothing is asked of any member, and nothing of a running one is touched. */
export const snapshotRestoreCommand: CommandModule<object, SnapshotRestoreArguments> = {
  command: 'restore <file>',
  describe: 'Make the data directory of a member of a new cluster of a backup',
  builder: (program) =>
    withMemberFlags(withOutput(program))
      .positional('file', { type: 'string', demandOption: true, describe: 'The backup; - is standard input' })
      .option('bump-revision', {
        type: 'string',
        requiresArg: true,
        describe: 'By how much the revision rises, past all that the old cluster told; 1000000000 unless said',
      })
      .option('mark-compacted', {
        type: 'boolean',
        describe: "As etcdutl's; what was before the restore always counts as compacted, so that watchers notice",
      })
      .example('$0 snapshot restore balsa.backup --data-dir ./restored', 'a cluster of one')
      .example('$0 snapshot restore balsa.backup --config-file node1.yaml', 'node1 of its file; so for each member')
      .epilogue('The flags are those of balsa serve, and its variables count too. Give each member the same file.'),
  handler: async (given) => {
    const line = new ProgressLine();
    const { bump, config, restored } = await withOfflineTools(async ({ loadConfig, restore, readFileChunks }) => {
      const bump =
        given['bump-revision'] === undefined ? undefined : positive('--bump-revision', given['bump-revision']);
      const { config } = loadConfig({ flags: givenFlags(given), environment: process.env });
      const { dataDir, name, initialCluster, initialClusterToken } = config;
      const backup = readFileChunks(given.file, (done, total) => line.bytes('restoring', { done, total }));
      const options = { backup, dataDir, name, initialCluster, initialClusterToken, bumpRevision: bump };
      return { bump, config, restored: await restore(options).finally(() => line.end()) };
    });
    const { clusterId, memberId, revision, manifest } = restored;
    if (given.output === 'json') {
      return writeJson({ dataDir: config.dataDir, clusterId, memberId, name: config.name, revision: revision ?? null });
    }
    if (given.output === 'simple') return write(`${clusterId}\t${memberId}\n`);
    const { name, dataDir, initialCluster } = config;
    const others = initialCluster.filter((member) => member.name !== name).map((member) => member.name);
    const rise = revision === undefined ? '' : `, which goes on from revision ${revision}`;
    await write(
      `The backup of revision ${manifest.revision} is now ${name} (${memberId}) of the new cluster ${clusterId}${rise}.\n` +
        (others.length === 0
          ? ''
          : `Restore the same file for ${others.join(', ')}, with the same --initial-cluster${bump === undefined ? '' : ' and --bump-revision'}, before you start them.\n`) +
        `\nStart it with the flags it always has:\n\n  ${shellLine(['balsa', 'serve', '--name', name, '--data-dir', dataDir])} …\n`,
    );
  },
};
