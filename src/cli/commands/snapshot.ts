import type { CommandModule } from 'yargs';
import { snapshotRestoreCommand } from './snapshot-restore.ts';
import { snapshotSaveCommand } from './snapshot-save.ts';
import { snapshotStatusCommand } from './snapshot-status.ts';
import { snapshotVerifyCommand } from './snapshot-verify.ts';

const actions = [snapshotSaveCommand, snapshotStatusCommand, snapshotVerifyCommand, snapshotRestoreCommand] as const;

export const snapshotActionNames: readonly string[] = actions.map(
  (action) => String(action.command).split(' ')[0] ?? '',
);

export const snapshotCommand: CommandModule = {
  command: 'snapshot <action>',
  describe: 'Back up the whole store to a file, look at and verify such a file, and restore it',
  builder: (program) => {
    for (const action of actions) program.command(action as typeof snapshotCommand);
    return program
      .demandCommand(1)
      .example('$0 snapshot save balsa.backup', 'while everything goes on')
      .example('$0 snapshot verify balsa.backup', 'builds a store of it and reads all of that')
      .example('$0 snapshot restore balsa.backup --data-dir ./restored', 'a new cluster of one');
  },
  handler: () => undefined,
};
