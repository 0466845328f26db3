import type { CommandModule } from 'yargs';
import { withOfflineTools } from '../offline-tools.ts';
import { type OutputFormat, table, withOutput, write, writeJson } from '../output.ts';
import { bytesOf, ProgressLine } from '../progress-line.ts';

interface SnapshotStatusArguments {
  readonly file: string;
  readonly output: OutputFormat | undefined;
}

export const snapshotStatusCommand: CommandModule<object, SnapshotStatusArguments> = {
  command: 'status <file>',
  describe: 'Print what is in a backup; its checksums are checked on the way',
  builder: (program) =>
    withOutput(program)
      .positional('file', { type: 'string', demandOption: true })
      .example('$0 snapshot status balsa.backup', 'revision, keys, size, and of which cluster it is')
      .example('$0 snapshot status balsa.backup -o json | jq .revision', 'for programs'),
  handler: async ({ file, output }) => {
    const line = new ProgressLine();
    const { manifest, bytes } = await withOfflineTools(({ inspectBackup }) =>
      inspectBackup(file, (done, total) => line.bytes('reading', { done, total })).finally(() => line.end()),
    );
    const { revision, compactRevision, keyCount, clusterId, members, createdBy } = manifest;
    switch (output) {
      case 'json':
        return writeJson({ file, bytes, ...manifest });
      case 'simple':
        return write(`${[revision, compactRevision, keyCount, bytes, clusterId].join('\t')}\n`);
      default:
        await write(
          table(
            ['REVISION', 'COMPACTED', 'KEYS', 'SIZE', 'CLUSTER ID', 'MEMBERS', 'WRITTEN BY'],
            [
              [
                ...[revision, compactRevision, keyCount].map(String),
                bytesOf(bytes),
                clusterId,
                members.map(({ name, id }) => name || id).join(','),
                createdBy,
              ],
            ],
          ),
        );
    }
  },
};
