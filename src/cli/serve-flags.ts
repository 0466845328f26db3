import type { Argv } from 'yargs';
import { etcdVersion } from '../contract/etcd-version.ts';
import { configFile, options, variableOf } from '../server/options.ts';
import { version } from '../server/version.ts';

/** The help of `balsa serve`, from the table of options. */
export function describeServeFlags(program: Argv): Argv {
  for (const option of Object.values(options)) {
    program.option(option.flag, {
      type: 'string',
      group: `${option.group}:`,
      requiresArg: true,
      describe: `${option.help} (${variableOf(option.flag)})`,
      defaultDescription: option.defaultText,
    });
  }
  program.option(configFile.flag, {
    type: 'string',
    group: 'Member:',
    requiresArg: true,
    describe: `${configFile.help} (${variableOf(configFile.flag)})`,
    defaultDescription: 'none',
  });
  return (
    program
      // normalizeEtcdArguments() has refused what does not exist, and let flags of etcd pass that are not shown here.
      .strict(false)
      .version(serverVersion)
      .usage(
        '$0 serve [flags]\n\nRuns one member of a cluster. Without flags: a cluster of one, with its data in ./balsa-data.',
      )
      .example('$0 serve', 'a cluster of one on http://localhost:2379')
      .example('$0 serve --config-file config/node1.yaml', 'a member as its file says')
      .epilogue(
        'Every flag is also an environment variable, as shown (ETCD_… names work too), and a key of the file.\n' +
          'A flag goes before the environment, the environment before the file.\n\n' +
          'Ends with 0 after SIGTERM or SIGINT, 1 if it cannot start, 70 if it had to give up.',
      )
  );
}

/** For tools that read the first line of `etcd --version`, which this is behind a wrapper of that name. */
const serverVersion = [
  `etcd Version: ${etcdVersion}`,
  `Balsa Version: ${version}`,
  `Node.js Version: ${process.versions.node}`,
].join('\n');
