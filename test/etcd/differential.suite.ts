import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProcessCluster } from '../support/processes.ts';
import { compare } from './differential/compare.ts';
import { overGateway, overGrpc, type Server } from './differential/servers.ts';
import { table } from './differential/table.ts';
import { EtcdProcess } from './etcd-process.ts';

const ways: readonly (readonly [string, (url: string) => Server])[] = [
  ['gRPC', overGrpc],
  ['the JSON gateway', overGateway],
];

for (const [name, connect] of ways) {
  test(`etcd and Balsa give the same answers over ${name}`, async (t) => {
    await using etcd = await EtcdProcess.start();
    await using cluster = await ProcessCluster.start(1);
    const [theirs, ours] = [connect(etcd.url), connect(cluster.node(0).url)];
    const steps = table().filter(({ gateway }) => name === 'gRPC' || gateway !== undefined);
    const wrong: string[] = [];
    try {
      for (const step of steps) {
        const [expected, found] = await Promise.all([theirs.ask(step), ours.ask(step)]);
        const problem = compare(step, expected, found);
        if (problem !== undefined) wrong.push(`${step.name}\n  ${problem}`);
      }
    } finally {
      theirs.close();
      ours.close();
    }
    const meant = steps.filter(({ differs }) => differs !== undefined);
    t.diagnostic(`${steps.length} requests, ${meant.length} differences that are meant`);
    assert.equal(wrong.length, 0, `${wrong.length} of ${steps.length}:\n${wrong.join('\n')}`);
  });
}
