import { tmpdir } from 'node:os';
import type { CommandModule } from 'yargs';
import { withOfflineTools } from '../offline-tools.ts';
import { type OutputFormat, withOutput, write, writeJson } from '../output.ts';
import { ProgressLine } from '../progress-line.ts';

interface SnapshotVerifyArguments {
  readonly file: string;
  readonly 'scratch-dir': string;
  readonly output: OutputFormat | undefined;
}

/** More than checksums: a store is built of it, opened, and read to its end. */
export const snapshotVerifyCommand: CommandModule<object, SnapshotVerifyArguments> = {
  command: 'verify <file>',
  describe: 'Really open a backup: build a store of it and read all of that',
  builder: (program) =>
    withOutput(program)
      .positional('file', { type: 'string', demandOption: true })
      .option('scratch-dir', {
        type: 'string',
        requiresArg: true,
        default: tmpdir(),
        describe: 'Where to build it; as much space as the backup takes, for as long as it lasts',
      })
      .example('$0 snapshot verify balsa.backup', 'ends with 1 if it cannot be restored'),
  handler: async (given) => {
    const line = new ProgressLine();
    const { manifest, keys, records } = await withOfflineTools(({ verifyBackup, readFileChunks }) => {
      const chunks = readFileChunks(given.file, (done, total) => line.bytes('verifying', { done, total }));
      return verifyBackup(chunks, given['scratch-dir']).finally(() => line.end());
    });
    const { revision } = manifest;
    switch (given.output) {
      case 'json':
        return writeJson({ file: given.file, revision, keys, records });
      case 'simple':
        return write(`${revision}\n`);
      default:
        await write(
          `${given.file} can be restored: revision ${revision}, ${keys} keys, ${records} records, all read.\n`,
        );
    }
  },
};
