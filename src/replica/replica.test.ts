import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BalsaError, type ErrorCode } from '../contract/errors.ts';
import type { Consistency, GetAnswer, PutAnswer } from '../contract/kv.ts';
import { electionTimeoutMs, type TestMember, TestMembers } from './testing/members.ts';

const linearizable = { level: 'linearizable' } as const;
const stale = { level: 'stale' } as const;

test('write: through any member, applied on all at the same revision', async () => {
  await using members = await TestMembers.start(3);
  await members.leader();
  for (const [i, member] of members.all.entries()) {
    const answer = await settle(members, put(member, 'color', `from ${member.id}`));
    assert.equal(answer.modRevision, i + 2);
    assert.equal(answer.header.memberId, member.id);
  }
  await members.clock.pass(300);
  for (const member of members.all) {
    assert.equal(valueIn(await get(member, 'color', stale)), 'from 3');
    assert.equal(member.store.revision, 4);
  }
});

test('write: followers learn of a commit soon after it, although nothing else is sent to them', async () => {
  await using members = await TestMembers.start(3);
  const leader = await members.leader();
  await members.clock.pass(1000);
  // A heartbeat would tell them as well, and is not to be waited for.
  const write = put(leader, 'k', 'v');
  await members.clock.until('the write ends', () => leader.store.revision === 2, 0);
  await members.clock.pass(10);
  for (const member of members.all) assert.equal(member.store.revision, 2);
  await write;
});

test('write: those that come together share a log entry, and each is a revision of its own', async () => {
  await using members = await TestMembers.start(3);
  const leader = await members.leader();
  const lastIndex = leader.replica.core.lastIndex;
  const writes = Array.from({ length: 300 }, (_, i) => put(leader, `k${i % 100}`, `v${i}`));
  const answers = await settle(members, Promise.all(writes));
  assert.deepEqual(
    answers.map(({ modRevision }) => modRevision),
    Array.from({ length: 300 }, (_, i) => i + 2),
  );
  assert.equal(leader.replica.core.lastIndex, lastIndex + 2, '256 in one entry, the rest in another');
  await members.clock.pass(300);
  for (const { store } of members.all) assert.equal(store.revision, 301);
});

test('write: the deletion of a range has a log entry of its own, in its place between the others', async () => {
  await using members = await TestMembers.start(1);
  const member = await members.leader();
  const lastIndex = member.replica.core.lastIndex;
  const range = { start: bytes('a'), end: undefined };
  const writes = [
    put(member, 'a', 'before'),
    put(member, 'b', 'before'),
    member.kv.deleteRange({ range }, { timeoutMs: 5000 }),
    put(member, 'c', 'after'),
  ];
  const answers = await settle(members, Promise.all(writes));
  assert.deepEqual(
    answers.map(({ header }) => header.revision),
    [2, 3, 4, 5],
  );
  assert.equal(member.replica.core.lastIndex, lastIndex + 3);
  assert.equal(member.store.keyCount, 1);
});

test('write: without a quorum it is refused as not executed if it was never proposed', async () => {
  await using members = await TestMembers.start(3);
  const leader = await members.leader();
  const [follower] = members.others(leader);
  assert.ok(follower);
  members.network.isolate(follower.id);
  await members.clock.until('the follower knows no leader', () => follower.replica.core.leader === undefined);
  await assertFails(settle(members, put(follower, 'k', 'v', 500)), 'no_leader');
  members.network.heal();
  await members.leader();
  assert.equal(valueIn(await settle(members, get(leader, 'k'))), undefined);
});

test('write: its outcome is unknown when the leader was cut off after it had taken it', async () => {
  await using members = await TestMembers.start(3);
  const leader = await members.leader();
  members.network.isolate(leader.id);
  const write = put(leader, 'k', 'v', 3000);
  await assertFails(settle(members, write), 'outcome_unknown');
});

test('write: replaced in the log by another leader, it is sent again by itself', async () => {
  await using members = await TestMembers.start(3);
  const old = await members.leader();
  members.network.isolate(old.id);
  const write = put(old, 'k', 'from the old leader', 60_000);
  const others = members.others(old);
  const next = await members.leader(others);
  await settle(members, put(next, 'other', 'from the next leader'));
  members.network.heal();
  const answer = await settle(members, write);
  assert.equal(answer.modRevision, 3, 'once, and after what the next leader had committed');
});

test('write: a follower that loses its way to the leader says unknown, never failed', async () => {
  await using members = await TestMembers.start(3);
  const leader = await members.leader();
  const [follower] = members.others(leader);
  assert.ok(follower);
  members.network.cut(leader.id, follower.id);
  await assertFails(settle(members, put(follower, 'k', 'v', 800)), 'outcome_unknown');
  members.network.heal();
  assert.equal(valueIn(await settle(members, get(leader, 'k'))), 'v', 'this one was executed');
});

test('write: a peer that forwards what is not a command is refused, and the log stays clean', async () => {
  await using members = await TestMembers.start(3);
  const leader = await members.leader();
  const [follower] = members.others(leader);
  assert.ok(follower);
  const before = leader.replica.core.lastIndex;
  await assertFails(settle(members, follower.replica.submit(Buffer.from('garbage'), 1000)), 'bad_request');
  assert.equal(leader.replica.core.lastIndex, before);
});

test('write: a condition that does not hold changes nothing', async () => {
  await using members = await TestMembers.start(1);
  const member = await members.leader();
  await settle(members, put(member, 'k', 'v'));
  const replace = member.kv.put(
    { key: bytes('k'), value: bytes('w'), condition: { kind: 'absent' }, previous: false },
    { timeoutMs: 1000 },
  );
  await assertFails(settle(members, replace), 'precondition_failed');
  assert.equal(member.store.revision, 2);
});

test('read: linearizable through every member sees what was acknowledged through another', async () => {
  await using members = await TestMembers.start(3);
  await members.leader();
  for (const writer of members.all) {
    await settle(members, put(writer, 'k', `by ${writer.id}`));
    for (const reader of members.all) assert.equal(valueIn(await settle(members, get(reader, 'k'))), `by ${writer.id}`);
  }
});

test('read: a deposed leader that does not know it yet never answers a linearizable read', async () => {
  await using members = await TestMembers.start(3);
  const old = await members.leader();
  await settle(members, put(old, 'k', 'old'));
  members.network.isolate(old.id);
  const read = get(old, 'k', linearizable, 60_000);
  const next = await members.leader(members.others(old));
  await settle(members, put(next, 'k', 'new'));
  members.network.heal();
  assert.equal(valueIn(await settle(members, read)), 'new');
});

test('read: cut off, stale answers with its age, linearizable ends with no_leader, bounded asks and fails', async () => {
  await using members = await TestMembers.start(3);
  const leader = await members.leader();
  const [follower] = members.others(leader);
  assert.ok(follower);
  await settle(members, put(leader, 'k', 'v'));
  await members.clock.pass(2000);
  const fresh = await get(follower, 'k', { level: 'bounded', maxStalenessMs: 1500 });
  assert.ok((fresh.header.stalenessMs ?? Number.POSITIVE_INFINITY) <= 1500);

  members.network.isolate(follower.id);
  await members.clock.pass(5000);
  const old = await get(follower, 'k', stale);
  assert.equal(valueIn(old), 'v');
  assert.ok((old.header.stalenessMs ?? 0) >= 4000, `${old.header.stalenessMs} ms`);
  await assertFails(settle(members, get(follower, 'k', linearizable, 500)), 'no_leader');
  await assertFails(settle(members, get(follower, 'k', { level: 'bounded', maxStalenessMs: 1500 }, 500)), 'no_leader');
});

test('disk: a leader whose disk hangs steps down, another leads, and it does not campaign until the write is done', async () => {
  await using members = await TestMembers.start(3);
  const old = await members.leader();
  old.disk.hang();
  const write = put(old, 'k', 'hung', 60_000);
  const others = members.others(old);
  await members.clock.until('another leads', () => others.some(({ replica }) => replica.core.role === 'leader'), 4000);
  const next = await members.leader(others);
  assert.notEqual(old.replica.core.role, 'leader');
  const term = next.replica.core.term;
  await settle(members, put(next, 'other', 'v'));
  await members.clock.pass(20 * electionTimeoutMs);
  assert.equal(next.replica.core.term, term, 'the hung member disturbed the others');

  old.disk.resume();
  await settle(members, write);
  assert.equal(valueIn(await settle(members, get(old, 'other'))), 'v');
});

test('disk: a write that fails stops the member before it acknowledges anything more', async () => {
  await using members = await TestMembers.start(1);
  const member = await members.leader();
  member.replica.options.log.persist = () => Promise.reject(new Error('no space left'));
  await assertFails(settle(members, put(member, 'k', 'v', 2000)), 'outcome_unknown');
  assert.match(String(member.failures[0]), /no space left/);
  assert.equal(member.failures.length, 1);
  await assertFails(settle(members, put(member, 'k', 'w', 2000)), 'unavailable');
  await assertFails(settle(members, get(member, 'k')), 'unavailable');
});

test('leadership: handed over on request, and writes that arrive meanwhile are not lost', async () => {
  await using members = await TestMembers.start(3);
  const old = await members.leader();
  const transfer = old.replica.transferLeadership();
  const write = put(old, 'k', 'v');
  await settle(members, transfer);
  assert.notEqual(old.replica.core.role, 'leader');
  await settle(members, write);
  assert.equal(valueIn(await settle(members, get(old, 'k'))), 'v');
});

test('limits: an empty or oversized key, and an oversized value, are refused before they are proposed', async () => {
  await using members = await TestMembers.start(1);
  const member = await members.leader();
  await assertFails(put(member, '', 'v'), 'bad_request');
  await assertFails(put(member, 'k'.repeat(8193), 'v'), 'too_large');
  await assertFails(put(member, 'k', 'v'.repeat(1024 * 1024 + 1)), 'too_large');
  assert.equal(member.store.revision, 1);
});

test('list: pages show the revision of the first one, whatever is written meanwhile', async () => {
  await using members = await TestMembers.start(1);
  const member = await members.leader();
  for (const key of ['a', 'b', 'c', 'd', 'e']) await settle(members, put(member, key, 'old'));
  for (const order of ['asc', 'desc'] as const) {
    const range = { start: bytes('a'), end: undefined };
    const request = { range, limit: 2, keysOnly: false, countOnly: false, sort: 'key', order } as const;
    let page = await settle(members, member.kv.range(request, { consistency: linearizable, timeoutMs: 1000 }));
    const revision = page.readRevision;
    const seen = page.kvs.map(({ key, value }) => `${text(key)}=${text(value)}`);
    while (page.next !== undefined) {
      assert.deepEqual([page.count, page.more], [5, true]);
      await settle(members, put(member, 'c', 'changed'));
      page = await member.kv.nextPage(page.next, { limit: 2, timeoutMs: 1000 });
      assert.equal(page.readRevision, revision);
      seen.push(...page.kvs.map(({ key, value }) => `${text(key)}=${text(value)}`));
    }
    const c = order === 'asc' ? 'c=old' : 'c=changed';
    const expected = ['a=old', 'b=old', c, 'd=old', 'e=old'];
    assert.deepEqual(seen, order === 'asc' ? expected : expected.reverse());
  }
  const first = { range: { start: bytes('a'), end: undefined }, limit: 2, keysOnly: false, countOnly: false } as const;
  const request = { ...first, sort: 'key', order: 'asc' } as const;
  const { next = '' } = await settle(members, member.kv.range(request, { consistency: linearizable, timeoutMs: 1000 }));
  await settle(members, put(member, 'c', 'changed'));
  await settle(members, member.kv.compact(member.store.revision, { timeoutMs: 1000 }));
  await assertFails(member.kv.nextPage(next, { limit: 2, timeoutMs: 1000 }), 'compacted');
  await assertFails(member.kv.nextPage('nonsense', { limit: 2, timeoutMs: 1000 }), 'bad_request');
});

/** Lets virtual time pass until the request has ended. */
async function settle<T>(members: TestMembers, request: Promise<T>): Promise<T> {
  let ended = false;
  const end = (): void => {
    ended = true;
  };
  request.then(end, end);
  await members.clock.until('the request ends', () => ended, 120_000);
  return request;
}

function put(member: TestMember, key: string, value: string, timeoutMs = 5000): Promise<PutAnswer> {
  return member.kv.put({ key: bytes(key), value: bytes(value), condition: undefined, previous: false }, { timeoutMs });
}

function get(
  member: TestMember,
  key: string,
  consistency: Consistency = linearizable,
  timeoutMs = 5000,
): Promise<GetAnswer> {
  return member.kv.get(bytes(key), { consistency, timeoutMs });
}

async function assertFails(request: Promise<unknown>, code: ErrorCode): Promise<void> {
  await assert.rejects(request, (reason) => {
    assert.ok(reason instanceof BalsaError, String(reason));
    assert.equal(reason.code, code, reason.detail);
    return true;
  });
}

function valueIn(answer: GetAnswer): string | undefined {
  return answer.kv === undefined ? undefined : text(answer.kv.value);
}

function bytes(from: string): Uint8Array {
  return Buffer.from(from);
}

function text(from: Uint8Array): string {
  return Buffer.from(from).toString();
}

test('replica: after a restart the log is cut behind what the store has, though it was not told that it is committed', async () => {
  await using members = await TestMembers.start(3, 1, { snapshotCount: 1 });
  const leader = await members.leader();
  const [follower] = members.others(leader) as [TestMember];
  // Too large to share an entry: several come with one batch, and what is committed then is written with the next one.
  const value = 'v'.repeat(60 * 1024);
  await members.settle(Promise.all(['a', 'b', 'c', 'd'].map((key) => put(leader, key, value))));
  await members.clock.until('the store on disk', () => follower.store.durableIndex === leader.store.appliedIndex);
  const again = await members.restart(follower, 'kept');
  const { hardState } = again.replica.options.log;
  assert.ok(hardState.commit < again.store.appliedIndex - 2, `commit ${hardState.commit}`);
  await members.settle(put(leader, 'e', value));
  await members.clock.until('the end of the log', () => again.store.appliedIndex === leader.store.appliedIndex);
  assert.deepEqual(again.failures, []);
  assert.ok(again.replica.options.log.firstIndex() > 1);
});
