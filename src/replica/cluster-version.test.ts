import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClusterVersion } from './cluster-version.ts';
import { publishCommand } from './replica.ts';
import { type TestMember, TestMembers } from './testing/members.ts';

test('cluster version: rises when the last member runs newer software, on all of them, and does not fall', async () => {
  await using members = await TestMembers.start(3);
  for (const { replica } of members.all) new ClusterVersion(replica);
  const [a, b, c] = members.all as [TestMember, TestMember, TestMember];
  await members.leader();
  for (const [member, version] of [
    [a, '0.3.1'],
    [b, '0.2.0'],
  ] as const) {
    await runs(members, member, version);
  }
  await members.clock.pass(2000);
  assert.deepEqual(agreed(members), ['0.1', '0.1', '0.1']);
  await runs(members, c, '0.4.0');
  await members.clock.until('the lowest of all', () => agreed(members).every((version) => version === '0.2'));

  await members.changeLeader();
  await runs(members, b, '0.3.0');
  await members.clock.until('the next one', () => agreed(members).every((version) => version === '0.3'));
  await runs(members, b, '0.2.0');
  await members.clock.pass(2000);
  assert.deepEqual(agreed(members), ['0.3', '0.3', '0.3']);
});

function agreed({ all }: TestMembers): readonly string[] {
  return all.map(({ store }) => store.clusterVersion);
}

/** Told by itself, as every member does when it has started. */
async function runs(members: TestMembers, { id, replica }: TestMember, version: string): Promise<void> {
  await members.settle(replica.submit(publishCommand({ id, name: `node${id}`, clientUrls: [], version }), 5000));
}
