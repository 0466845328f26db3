import { spawnSync } from 'node:child_process';
import yargs from 'yargs';
import { mustHave } from './etcd-process.ts';

const { perf } = await yargs(process.argv.slice(2))
  .scriptName('npm run test:etcd --')
  .usage('$0 [flags]\n\nHolds Balsa against a real etcd, and runs sessions of etcdctl.')
  .option('perf', {
    type: 'boolean',
    default: false,
    describe: 'instead: etcdctl check perf on three nodes, loads s and m, a minute each; wants an idle machine',
  })
  .strict()
  .parseAsync();

try {
  if (!perf) mustHave('etcd');
  mustHave('etcdctl');
} catch (reason) {
  console.error(reason instanceof Error ? reason.message : reason);
  process.exit(1);
}
const suites = perf ? ['perf'] : ['differential', 'watch', 'etcdctl'];
const files = suites.map((suite) => `test/etcd/${suite}.suite.ts`);
const { status } = spawnSync(
  process.execPath,
  ['--import', 'tsx', '--test', '--test-concurrency=1', '--test-timeout=240000', ...files],
  { stdio: 'inherit' },
);
process.exit(status ?? 1);
