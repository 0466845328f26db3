import type { CommandModule } from 'yargs';
import { version } from '../../server/version.ts';
import { type ClientArguments, openClient, withClientOptions } from '../client-options.ts';
import { table, write, writeJson } from '../output.ts';

interface VersionArguments extends ClientArguments {
  readonly cluster: boolean;
}

export const versionCommand: CommandModule<object, VersionArguments> = {
  command: 'version',
  describe: 'Print the version, of this program or of the whole cluster',
  builder: (program) =>
    withClientOptions(program)
      .option('cluster', {
        type: 'boolean',
        default: false,
        describe: 'What each member of a running cluster runs, and what they agreed on',
      })
      .example('$0 version --cluster', 'whether a rolling upgrade is through'),
  handler: (given) =>
    given.cluster ? showCluster(given) : write(`balsa ${version} (Node.js ${process.versions.node})\n`),
};

async function showCluster(given: VersionArguments): Promise<void> {
  const versions = await openClient(given).versions();
  const { clusterVersion, members } = versions;
  switch (given.output) {
    case 'json':
      return writeJson({ clusterVersion, members });
    case 'simple':
      return write(members.map((member) => `${member.name}\t${member.version}\n`).join(''));
    default: {
      const rows = members.map((member) => [member.name, member.id, member.version || '(never started)']);
      await write(`cluster version: ${clusterVersion}\n${table(['NAME', 'ID', 'VERSION'], rows)}`);
    }
  }
}
