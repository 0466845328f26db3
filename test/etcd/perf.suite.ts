import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { ProcessCluster } from '../support/processes.ts';

/** Writes a second that `etcdctl check perf` sends (`etcdctl/ctlv3/command/check.go`). */
const loads = [
  ['s', 150],
  ['m', 1000],
] as const;

for (const [load, rate] of loads) {
  test(`etcdctl check perf --load=${load}: ${rate} writes a second on three nodes`, async (t) => {
    await using cluster = await ProcessCluster.start(3);
    const endpoints = cluster.nodes.map(({ url }) => url).join(',');
    const { status, stdout, stderr } = spawnSync(
      'etcdctl',
      ['check', 'perf', `--load=${load}`, `--endpoints=${endpoints}`],
      { env: { ...process.env, ETCDCTL_API: '3' }, timeout: 120_000 },
    );
    const verdicts = stdout
      .toString()
      .split(/[\r\n]+/)
      .filter((line) => /^(PASS|FAIL)/.test(line));
    for (const verdict of verdicts) t.diagnostic(verdict);
    assert.equal(status, 0, `${verdicts.join('\n')}\n${stderr}`);
    assert.equal(verdicts.at(-1), 'PASS');
  });
}
