import type { CommandModule } from 'yargs';
import { type ClientArguments, openClient, withClientOptions } from '../client-options.ts';
import { CommandError } from '../exit-codes.ts';
import { withOfflineTools } from '../offline-tools.ts';
import { write, writeJson } from '../output.ts';
import { bytesOf, ProgressLine } from '../progress-line.ts';
import { untilStopped } from '../until-stopped.ts';

interface SnapshotSaveArguments extends ClientArguments {
  readonly file: string;
}

/** The file gets its name when all of it has come, was found whole and is on the disk. */
export const snapshotSaveCommand: CommandModule<object, SnapshotSaveArguments> = {
  command: 'save <file>',
  describe: 'Back up the whole store, while everything goes on',
  builder: (program) =>
    withClientOptions(program)
      .positional('file', { type: 'string', demandOption: true, describe: 'Where to; what is there is replaced' })
      .example('$0 snapshot save balsa.backup', 'from any member that answers')
      .example('$0 snapshot save balsa.backup --endpoints http://10.0.0.3:2379', 'from that one'),
  handler: async (given) => {
    const client = openClient(given);
    const line = new ProgressLine();
    const saved = await withOfflineTools(async ({ saveBackup }) => {
      let file: Awaited<ReturnType<typeof saveBackup>> | undefined;
      try {
        await untilStopped(async (signal) => {
          const { chunks } = await client.snapshot({ signal });
          file = await saveBackup(given.file, chunks, (done, total) => line.bytes('saving', { done, total }));
        });
      } finally {
        line.end();
      }
      return file;
    });
    if (saved === undefined) throw new CommandError('interrupted; nothing was saved');
    const { manifest, bytes } = saved;
    const { revision, keyCount, clusterId } = manifest;
    switch (given.output) {
      case 'json':
        return writeJson({ file: given.file, bytes, revision, keyCount, clusterId });
      case 'simple':
        return write(`${revision}\n`);
      default:
        await write(`${given.file}: revision ${revision}, ${keyCount} keys, ${bytesOf(bytes)}; it is whole.\n`);
    }
  },
};
