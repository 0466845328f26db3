import type { CommandModule } from 'yargs';
import { version } from '../../server/version.ts';
import { write } from '../output.ts';

export const versionCommand: CommandModule = {
  command: 'version',
  describe: 'Print the version',
  handler: () => write(`balsa ${version} (Node.js ${process.versions.node})\n`),
};
