import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReluctantLeader } from './reluctant-leader.ts';
import { type TestMember, TestMembers } from './testing/members.ts';
import { put } from './testing/requests.ts';

async function startWith(isReluctant: (leader: TestMember, member: TestMember) => boolean): Promise<TestMembers> {
  const members = await TestMembers.start(3);
  const leader = await members.leader();
  for (const member of members.all) {
    new ReluctantLeader(member.replica, { avoidsLeading: isReluctant(leader, member) });
  }
  return members;
}

test('avoid leading: a leader that would rather not hands over to one that does not mind', async () => {
  let first: TestMember | undefined;
  let willing: TestMember | undefined;
  await using members = await startWith((leader, member) => {
    first = leader;
    // Of the two others only the last one does not mind.
    if (member !== leader) willing = member;
    return true;
  });
  assert.ok(first !== undefined && willing !== undefined);
  new ReluctantLeader(willing.replica, { avoidsLeading: false });
  await members.clock.until('the hand-over', () => willing?.replica.core.role === 'leader');
  await members.settle(put(first, 'k', 'v'));
});

test('avoid leading: where nobody is willing, whoever is elected leads', async () => {
  await using members = await startWith(() => true);
  const leader = await members.leader();
  const { term } = leader.replica.core;
  const later = members.clock.monotonicMs() + 8000;
  await members.clock.until('some seconds', () => members.clock.monotonicMs() > later);
  assert.deepEqual([leader.replica.core.role, leader.replica.core.term], ['leader', term]);
});
