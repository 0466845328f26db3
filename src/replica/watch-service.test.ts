import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BalsaError } from '../contract/errors.ts';
import { keyRange, prefixRange } from '../contract/key-range.ts';
import type { KeyRange, Revision } from '../contract/kv.ts';
import type { WatchBatch } from '../contract/watch.ts';
import type { Watch, WatchSink } from './service.ts';
import { electionTimeoutMs, type TestMember, TestMembers } from './testing/members.ts';
import { assertFails, bytes, put, text } from './testing/requests.ts';
import { ReplicaWatchService } from './watch-service.ts';

const timeoutMs = 5000;
const all = prefixRange(bytes(''));

test('watch: on every member, everything from now on, in the order of the revisions', async () => {
  await using members = await TestMembers.start(3);
  const leader = await members.leader();
  await members.settle(put(leader, 'before', 'v'));
  const watchers = await Promise.all(members.all.map((member) => watching(members, member)));
  for (const watcher of watchers) assert.equal(watcher.watch?.header.revision, 2);
  for (const [i, member] of members.all.entries()) await members.settle(put(member, `k${i}`, 'v'));
  await members.clock.pass(300);
  for (const watcher of watchers) assert.deepEqual(watcher.seen, ['3 k0=v', '4 k1=v', '5 k2=v']);
});

test('watch: on a member that lags it begins behind everything that was acknowledged before it', async () => {
  await using members = await TestMembers.start(3);
  const leader = await members.leader();
  const [follower] = members.others(leader);
  assert.ok(follower);
  members.network.cut(leader.id, follower.id);
  await members.settle(put(leader, 'old', 'v'));
  members.network.heal();
  const watcher = await watching(members, follower);
  await members.settle(put(leader, 'new', 'v'));
  await members.clock.pass(300);
  assert.deepEqual(watcher.seen, ['3 new=v']);
});

test('watch: a follower tells everything once and in order while leaders change', async () => {
  await using members = await TestMembers.start(3);
  const leader = await members.leader();
  const watchers = await Promise.all(members.all.map((member) => watching(members, member)));
  for (let round = 0; round < 10; round++) {
    const writes = members.all.map((member, i) => put(member, `k${i}`, `round ${round}`, { timeoutMs: 20_000 }));
    if (round % 2 === 1) await members.changeLeader();
    await members.settle(Promise.all(writes));
  }
  await members.clock.pass(500);
  const { revision } = leader.store;
  assert.equal(revision, 31);
  const [first] = watchers;
  assert.deepEqual(
    first?.revisions,
    Array.from({ length: revision - 1 }, (_, i) => i + 2),
  );
  for (const watcher of watchers) {
    assert.deepEqual(watcher.seen, first?.seen);
    assert.equal(watcher.ended, undefined);
  }
});

test('watch: one too many is refused, and when one has ended there is room again', async () => {
  await using members = await TestMembers.start(1);
  const leader = await members.leader();
  const service = new ReplicaWatchService(leader.replica, 2);
  const request = { range: all, revision: undefined, previous: false, filter: undefined };
  const open = () => members.settle(service.watch(request, new TestSink(), { timeoutMs }));
  const [first] = [await open(), await open()];
  await assertFails(open(), 'too_many_requests');
  assert.equal(service.watches, 2);
  first.close();
  await open();
});

test('watch: a leader that fails does not end the watches of those that find another in time', async () => {
  await using members = await TestMembers.start(3);
  const old = await members.leader();
  const others = members.others(old);
  const watchers = await Promise.all(others.map((member) => watching(members, member)));
  members.network.isolate(old.id);
  const next = await members.leader(others);
  await members.settle(put(next, 'k', 'v'));
  await members.clock.pass(5000);
  for (const watcher of watchers) assert.deepEqual([watcher.ended, watcher.seen], [undefined, ['2 k=v']]);
});

for (const role of ['leader', 'follower'] as const) {
  test(`watch: a ${role} that is cut off ends it with no_leader within three election timeouts`, async () => {
    await using members = await TestMembers.start(3);
    const leader = await members.leader();
    const [follower] = members.others(leader);
    assert.ok(follower);
    const member = role === 'leader' ? leader : follower;
    const watcher = await watching(members, member);
    await members.settle(put(member, 'before', 'v'));
    await members.clock.until('it is told', () => watcher.seen.length === 1);
    members.network.isolate(member.id);
    await members.clock.until('the watch ends', () => watcher.ended !== undefined, 3 * electionTimeoutMs);
    assert.equal(watcher.ended?.code, 'no_leader');
    assert.equal(member.watch.watches, 0);

    const others = members.others(member);
    const next = await members.leader(others);
    await members.settle(put(next, 'meanwhile', 'v'));
    const from = (watcher.revisions.at(-1) ?? 0) + 1;
    const again = await watching(members, next, { revision: from });
    await members.clock.until('it goes on where it ended', () => again.seen.length === 1);
    assert.deepEqual([...watcher.seen, ...again.seen], ['2 before=v', '3 meanwhile=v']);
  });
}

test('watch: cannot be begun on a member that is cut off, and can when it is back', async () => {
  await using members = await TestMembers.start(3);
  const leader = await members.leader();
  const [follower] = members.others(leader);
  assert.ok(follower);
  members.network.isolate(follower.id);
  await members.clock.pass(5000);
  const request = { range: all, revision: undefined, previous: false, filter: undefined };
  await assertFails(members.settle(follower.watch.watch(request, new TestSink(), { timeoutMs: 1000 })), 'no_leader');
  assert.equal(follower.watch.watches, 0);
  members.network.heal();
  const watcher = await watching(members, follower);
  await members.clock.pass(3000);
  assert.equal(watcher.ended, undefined, 'it was ended for what had been before it');
});

test('watch: who does not take what comes is caught up from where it stopped', async () => {
  await using members = await TestMembers.start(3);
  const leader = await members.leader();
  const [follower] = members.others(leader);
  assert.ok(follower);
  const watcher = await watching(members, follower);
  watcher.takesMore = false;
  for (let i = 0; i < 20; i++) await members.settle(put(leader, `k${i}`, 'v'));
  await members.changeLeader();
  assert.equal(watcher.seen.length, 1);
  watcher.takesMore = true;
  watcher.watch?.resume();
  await members.clock.until('it has caught up', () => watcher.seen.length === 20);
  assert.deepEqual(
    watcher.revisions,
    Array.from({ length: 20 }, (_, i) => i + 2),
  );
});

test('watch: a revision that is compacted is told with the oldest that is kept', async () => {
  await using members = await TestMembers.start(1);
  const member = await members.leader();
  for (let i = 0; i < 9; i++) await members.settle(put(member, 'k', `v${i}`));
  await members.settle(member.kv.compact(6, { timeoutMs }));
  const watcher = await watching(members, member, { revision: 3 });
  await members.clock.until('it ends', () => watcher.ended !== undefined);
  assert.deepEqual([watcher.ended?.code, watcher.ended?.extras], ['compacted', { compactRevision: 6 }]);
  const fromOldest = await watching(members, member, { revision: 6 });
  await members.clock.until('it has caught up', () => fromOldest.revisions.length === 5);
  assert.equal(fromOldest.revisions[0], 6);
});

test('watch: progress is told once a second, and never overtakes an event (etcd#15220)', async () => {
  await using members = await TestMembers.start(3);
  const leader = await members.leader();
  const [follower] = members.others(leader);
  assert.ok(follower);
  const watcher = await watching(members, follower, { range: keyRange(bytes('k')) });
  for (let i = 0; i < 30; i++) {
    await members.settle(put(leader, i % 3 === 0 ? 'k' : 'other', 'v'));
    await members.clock.pass(150);
  }
  assert.ok(watcher.progress.length >= 4 && watcher.progress.length <= 7, `${watcher.progress.length} in 4.5 s`);
  assert.deepEqual(watcher.disorder, []);
  await members.clock.pass(1000);
  assert.equal(watcher.progress.at(-1), 31);
});

test('watch: a range with a bound longer than a key can be is refused', async () => {
  await using members = await TestMembers.start(1);
  const member = await members.leader();
  const range = { start: bytes('k'.repeat(8193)), end: undefined };
  const request = { range, revision: undefined, previous: false, filter: undefined };
  await assertFails(member.watch.watch(request, new TestSink(), { timeoutMs }), 'too_large');
});

test('watch: a member that stops ends all of them, and those that come later', async () => {
  await using members = await TestMembers.start(1);
  const member = await members.leader();
  const watcher = await watching(members, member);
  member.watch.close();
  assert.equal(watcher.ended?.code, 'unavailable');
  const late = await watching(members, member);
  assert.equal(late.ended?.code, 'unavailable');
});

test('watch: who has closed it is told nothing more', async () => {
  await using members = await TestMembers.start(1);
  const member = await members.leader();
  const watcher = await watching(members, member);
  watcher.watch?.close();
  watcher.watch?.close();
  await members.settle(put(member, 'k', 'v'));
  member.watch.close();
  await members.clock.pass(2000);
  assert.deepEqual([watcher.seen, watcher.progress, watcher.ended], [[], [], undefined]);
});

class TestSink implements WatchSink {
  readonly seen: string[] = [];
  readonly revisions: Revision[] = [];
  readonly progress: Revision[] = [];
  /** What came after progress had said that it was all told. */
  readonly disorder: string[] = [];
  ended: BalsaError | undefined;
  watch: Watch | undefined;
  takesMore = true;

  onBatch({ revision, events }: WatchBatch): boolean {
    assert.equal(this.ended, undefined, 'told after its end');
    for (const { kv } of events) this.seen.push(`${revision} ${text(kv.key)}=${text(kv.value)}`);
    this.revisions.push(revision);
    const told = this.progress.at(-1) ?? 0;
    if (revision <= told) this.disorder.push(`revision ${revision} after progress ${told}`);
    return this.takesMore;
  }

  onProgress(revision: Revision): boolean {
    assert.equal(this.ended, undefined, 'told after its end');
    this.progress.push(revision);
    return this.takesMore;
  }

  onEnd(error: BalsaError): void {
    assert.equal(this.ended, undefined, 'ended twice');
    this.ended = error;
  }
}

async function watching(
  members: TestMembers,
  member: TestMember,
  { range = all, revision }: { readonly range?: KeyRange; readonly revision?: Revision } = {},
): Promise<TestSink> {
  const sink = new TestSink();
  const request = { range, revision, previous: false, filter: undefined };
  sink.watch = await members.settle(member.watch.watch(request, sink, { timeoutMs }));
  return sink;
}
