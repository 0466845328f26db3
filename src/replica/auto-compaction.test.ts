import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AutoCompactionOptions } from './auto-compaction.ts';
import { type TestMember, TestMembers } from './testing/members.ts';
import { put } from './testing/requests.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

test('by revision: every five minutes all but so many revisions are forgotten, on all members', async () => {
  await using members = await start(3, { mode: 'revision', retention: 10 });
  const leader = await members.leader();
  await write(members, leader, 49);
  await members.clock.pass(5 * minuteMs - 10_000);
  assert.equal(leader.store.compactRevision, 0, 'it is not time yet');
  await members.clock.pass(10_000);
  for (const { store } of members.all) assert.deepEqual([store.revision, store.compactRevision], [50, 40]);
  await write(members, leader, 5);
  await members.clock.pass(5 * minuteMs);
  for (const { store } of members.all) assert.equal(store.compactRevision, 45);
});

test('by revision: where there are no more than that, nothing is forgotten or proposed', async () => {
  await using members = await start(1, { mode: 'revision', retention: 10 });
  const member = await members.leader();
  await write(members, member, 9);
  const { lastIndex } = member.replica.core;
  await long(members, 30 * minuteMs);
  assert.deepEqual([member.store.compactRevision, member.replica.core.lastIndex], [0, lastIndex]);
});

test('by time: up to an hour, what is older than that is forgotten, as often', async () => {
  await using members = await start(1, { mode: 'periodic', retentionMs: 10 * minuteMs });
  const member = await members.leader();
  // Revision r is that of the minute r - 1.
  for (let minute = 1; minute <= 35; minute++) {
    await write(members, member, 1);
    await long(members, minuteMs);
    const kept = member.store.revision - member.store.compactRevision;
    if (minute < 10) assert.equal(member.store.compactRevision, 0, `minute ${minute}`);
    else assert.ok(kept >= 9 && kept <= 21, `minute ${minute}: ${kept} revisions are kept`);
  }
  assert.equal(member.store.compactRevision >= 19, true, `${member.store.compactRevision}`);
});

test('by time: of more than an hour, hourly', async () => {
  await using members = await start(1, { mode: 'periodic', retentionMs: 3 * hourMs });
  const member = await members.leader();
  const compacted: number[] = [];
  for (let hour = 1; hour <= 6; hour++) {
    await write(members, member, 1);
    await long(members, hourMs);
    compacted.push(member.store.compactRevision);
  }
  assert.deepEqual(compacted.slice(0, 2), [0, 0], 'nothing is older than three hours');
  for (const [i, revision] of compacted.entries()) {
    const written = i + 2;
    if (i >= 3) assert.ok(revision >= written - 4 && revision <= written - 2, `hour ${i + 1}: ${compacted.join(', ')}`);
  }
});

test('by time: nothing younger than the retention is ever forgotten, whoever leads', async () => {
  const retentionMs = minuteMs;
  await using members = await start(3, { mode: 'periodic', retentionMs });
  const writtenMs = new Map<number, number>();
  for (let round = 0; round < 30; round++) {
    const leader = await members.leader();
    const { modRevision } = await members.settle(put(leader, 'k', `v${round}`));
    writtenMs.set(modRevision, members.clock.monotonicMs());
    await members.clock.pass(10_000);
    if (round === 15) await members.changeLeader();
    // That revision was the present one until the next was written, and can still be read.
    const compactedMs = writtenMs.get(leader.store.compactRevision);
    if (compactedMs !== undefined) {
      assert.ok(members.clock.monotonicMs() - compactedMs >= retentionMs, `round ${round}: forgotten too early`);
    }
  }
  for (const { store } of members.all) assert.ok(store.compactRevision > 15, `${store.compactRevision}`);
});

test('by time: one that did not get through is tried again soon, as in etcd', async () => {
  await using members = await start(1, { mode: 'periodic', retentionMs: 10 * minuteMs });
  const member = await members.leader();
  await write(members, member, 5);
  await long(members, 10 * minuteMs - 5000);
  assert.equal(member.store.compactRevision, 0);
  const { propose } = member.replica;
  let refused = 0;
  // As when it has too many writes under way.
  member.replica.propose = async () => {
    refused++;
    return { outcome: 'not_executed' };
  };
  await long(members, 10_000);
  assert.equal(refused, 1);
  member.replica.propose = propose;
  await long(members, minuteMs + 5000);
  assert.equal(member.store.compactRevision, 6, 'a tenth of the time later');
});

test('off: nothing is ever forgotten', async () => {
  await using members = await start(1, { mode: 'off' });
  const member = await members.leader();
  await write(members, member, 100);
  await long(members, 3 * hourMs);
  assert.equal(member.store.compactRevision, 0);
});

test('by revision: what somebody else has compacted further is left alone', async () => {
  await using members = await start(1, { mode: 'revision', retention: 10 });
  const member = await members.leader();
  await write(members, member, 49);
  await members.settle(member.kv.compact(45, { timeoutMs: 5000 }));
  const { lastIndex } = member.replica.core;
  await long(members, 6 * minuteMs);
  assert.deepEqual([member.store.compactRevision, member.replica.core.lastIndex], [45, lastIndex]);
});

function start(count: number, autoCompaction: AutoCompactionOptions): Promise<TestMembers> {
  return TestMembers.start(count, 1, { autoCompaction });
}

async function write(members: TestMembers, member: TestMember, times: number): Promise<void> {
  for (let i = 0; i < times; i++) await members.settle(put(member, 'k', `v${i}`));
}

/** Hours, of a member that is alone and so need not hear of the others between two of its ticks. */
async function long(members: TestMembers, ms: number): Promise<void> {
  const stepMs = 5000;
  for (let passedMs = 0; passedMs < ms; passedMs += stepMs) {
    members.clock.advance(stepMs);
    await members.clock.pass(0);
  }
}
