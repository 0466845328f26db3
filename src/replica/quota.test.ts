import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prefixRange } from '../contract/key-range.ts';
import { type TestMember, TestMembers } from './testing/members.ts';
import { assertFails, bytes, put } from './testing/requests.ts';

const timeoutMs = 5000;
const quotaBytes = 20_000;

test('quota: the leader makes its own that of all members', async () => {
  await using members = await TestMembers.start(3, 1, { quotaBytes: (member) => 1000 * Number(member) });
  const leader = await members.leader();
  await everywhere(members, 'the quota', ({ store }) => store.quotaBytes === 1000 * Number(leader.id));
  const next = await members.changeLeader();
  await everywhere(members, 'the next quota', ({ store }) => store.quotaBytes === 1000 * Number(next.id));
});

test('quota: what is over it is refused alike, whichever member is asked', async () => {
  await using members = await TestMembers.start(3, 1, { quotaBytes: () => quotaBytes });
  const leader = await members.leader();
  await everywhere(members, 'the quota', ({ store }) => store.quotaBytes === quotaBytes);
  await fill(members, leader);
  for (const member of members.all) await assertFails(members.settle(put(member, 'k', big)), 'no_space');
  await everywhere(members, 'the alarm', ({ store }) => store.isFull);
  const used = members.all.map(({ store }) => `${store.usedBytes} bytes at ${store.revision}`);
  assert.equal(new Set(used).size, 1, used.join(', '));
  assert.ok(leader.store.usedBytes <= quotaBytes);
});

test('quota: deletions and compaction are never refused, and make space again', async () => {
  await using members = await TestMembers.start(3, 1, { quotaBytes: () => quotaBytes });
  const leader = await members.leader();
  await everywhere(members, 'the quota', ({ store }) => store.quotaBytes === quotaBytes);
  await fill(members, leader);
  await members.settle(leader.kv.deleteRange({ range: prefixRange(bytes('fill')) }, { timeoutMs }));
  await assertFails(members.settle(put(leader, 'k', big)), 'no_space');
  await members.settle(leader.kv.compact(leader.store.revision, { timeoutMs }));
  await everywhere(members, 'space', ({ store }) => !store.isFull);
  for (const member of members.all) await members.settle(put(member, 'k', big));
});

test('quota: a lease that ends makes space again', async () => {
  await using members = await TestMembers.start(3, 1, { quotaBytes: () => quotaBytes });
  const leader = await members.leader();
  await everywhere(members, 'the quota', ({ store }) => store.quotaBytes === quotaBytes);
  const { id } = await members.settle(leader.leases.grant({ id: undefined, ttl: 5 }, { timeoutMs }));
  await members.settle(put(leader, 'leased', big.repeat(10), { lease: id }));
  await fill(members, leader);
  await everywhere(members, 'the end of the lease', ({ store }) => store.leases.size === 0);
  await members.settle(leader.kv.compact(leader.store.revision, { timeoutMs }));
  await members.settle(put(leader, 'k', big));
});

test('quota: a leader with a greater one makes space at once', async () => {
  await using members = await TestMembers.start(3, 1, { quotaBytes: () => quotaBytes });
  const leader = await members.leader();
  await everywhere(members, 'the quota', ({ store }) => store.quotaBytes === quotaBytes);
  await fill(members, leader);
  for (const member of members.others(leader)) {
    await members.restart(member, 'kept', { quotaBytes: () => 10 * quotaBytes });
  }
  const next = await members.changeLeader();
  await everywhere(members, 'the next quota', ({ store }) => store.quotaBytes === 10 * quotaBytes);
  await members.settle(put(next, 'k', big));
});

test('quota: 0 is none', async () => {
  await using members = await TestMembers.start(1, 1, { quotaBytes: () => 0 });
  const member = await members.leader();
  const { lastIndex } = member.replica.core;
  await members.settle(put(member, 'k', 'v'.repeat(1_000_000)));
  assert.equal(member.replica.core.lastIndex, lastIndex + 1, 'nothing is proposed for it');
});

test('quota: it is proposed once, and not again while it holds', async () => {
  await using members = await TestMembers.start(3, 1, { quotaBytes: () => quotaBytes });
  const leader = await members.leader();
  await everywhere(members, 'the quota', ({ store }) => store.quotaBytes === quotaBytes);
  const { lastIndex } = leader.replica.core;
  await members.clock.pass(10_000);
  assert.equal(leader.replica.core.lastIndex, lastIndex);
});

const big = 'v'.repeat(1000);

/** Writes until nothing more is taken. */
async function fill(members: TestMembers, member: TestMember): Promise<void> {
  for (let i = 0; i < 100; i++) {
    const taken = await members.settle(put(member, `fill${i}`, big).then(Boolean, () => false));
    if (!taken) return;
  }
  assert.fail('100 writes were taken');
}

async function everywhere(members: TestMembers, what: string, holds: (member: TestMember) => boolean): Promise<void> {
  await members.clock.until(`${what} on all members`, () => members.all.every(holds));
}
