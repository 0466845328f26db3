import { spawnSync } from 'node:child_process';
import { mustHave } from './etcd-process.ts';

const suites = ['differential', 'watch', 'etcdctl'];

try {
  mustHave('etcd');
  mustHave('etcdctl');
} catch (reason) {
  console.error(reason instanceof Error ? reason.message : reason);
  process.exit(1);
}
const files = suites.map((suite) => `test/etcd/${suite}.suite.ts`);
const { status } = spawnSync(
  process.execPath,
  ['--import', 'tsx', '--test', '--test-concurrency=1', '--test-timeout=240000', ...files],
  { stdio: 'inherit' },
);
process.exit(status ?? 1);
