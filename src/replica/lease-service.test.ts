import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type LeaseId, leaseTtlMaxSeconds } from '../contract/lease.ts';
import { electionTimeoutMs, type TestMember, TestMembers } from './testing/members.ts';
import { assertFails, get, keysOf, linearizable, put, text } from './testing/requests.ts';

const timeoutMs = 5000;
/** An expiry's tick, and its way through the log to every member. */
const lateMs = 500;

test('leases: granted, kept alive, asked for, listed and revoked through every member', async () => {
  await using members = await TestMembers.start(3);
  await members.leader();
  for (const member of members.all) {
    const { id, ttl, header } = await members.settle(grant(member, 10));
    assert.equal(ttl, 10);
    assert.equal(header.memberId, member.id);
    await members.settle(put(member, `of ${member.id}`, 'v', { lease: id }));
    await members.clock.pass(3000);
    const left = await members.settle(member.leases.timeToLive(id, { timeoutMs, keys: true }));
    assert.deepEqual([left.ttl, left.grantedTtl, left.keys.map(text)], [7, 10, [`of ${member.id}`]]);
    const kept = await members.settle(keepAlive(member, id));
    assert.deepEqual([kept.id, kept.ttl, kept.header.memberId], [id, 10, member.id]);
    const full = await members.settle(member.leases.timeToLive(id, { timeoutMs, keys: false }));
    assert.deepEqual([full.ttl, full.keys], [10, []]);
    const list = await members.settle(member.leases.list({ timeoutMs, consistency: linearizable }));
    assert.deepEqual(list.ids, [id]);
    const revoked = await members.settle(member.leases.revoke(id, { timeoutMs }));
    assert.equal(revoked.deleted, 1);
    const none = await members.settle(member.leases.list({ timeoutMs, consistency: linearizable }));
    assert.deepEqual([none.ids, await keysOf(member)], [[], []]);
  }
});

test('leases: listed in the order of their ids, of which none is 0 and none is rounded', async () => {
  await using members = await TestMembers.start(1);
  const member = await members.leader();
  const ids = [2n ** 63n - 1n, 2n ** 53n + 1n, 1n, 2n ** 53n];
  for (const id of ids) assert.equal((await members.settle(grant(member, 60, id))).id, id);
  const picked = await members.settle(grant(member, 60));
  assert.ok(picked.id >= 1n && picked.id < 2n ** 63n);
  const list = await members.settle(member.leases.list({ timeoutMs, consistency: linearizable }));
  assert.deepEqual(
    list.ids,
    [...ids, picked.id].sort((a, b) => (a < b ? -1 : 1)),
  );
  await assertFails(members.settle(grant(member, 60, 1n)), 'lease_exists');
});

test('leases: a TTL that cannot be kept is raised, one that is none is refused', async () => {
  await using members = await TestMembers.start(1);
  const member = await members.leader();
  assert.equal((await members.settle(grant(member, 1))).ttl, 2, 'one and a half election timeouts, as etcd');
  assert.equal((await members.settle(grant(member, leaseTtlMaxSeconds))).ttl, leaseTtlMaxSeconds);
  for (const ttl of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, leaseTtlMaxSeconds + 1]) {
    await assertFails(grant(member, ttl), 'bad_request');
  }
});

test('leases: what is not there is not found, through every member', async () => {
  await using members = await TestMembers.start(3);
  await members.leader();
  for (const member of members.all) {
    await assertFails(members.settle(keepAlive(member, 7n)), 'lease_not_found');
    await assertFails(members.settle(member.leases.timeToLive(7n, { timeoutMs, keys: true })), 'lease_not_found');
    await assertFails(members.settle(member.leases.revoke(7n, { timeoutMs })), 'lease_not_found');
    await assertFails(members.settle(put(member, 'k', 'v', { lease: 7n })), 'lease_not_found');
  }
});

test('expiry: deletes the keys of the lease in one revision, on all members, and not before its time', async () => {
  await using members = await TestMembers.start(3);
  const leader = await members.leader();
  const { id } = await members.settle(grant(leader, 5));
  await members.settle(put(leader, 'bound once', 'v', { lease: id }));
  await members.settle(put(leader, 'bound once', 'v'));
  for (const key of ['a', 'b', 'c']) await members.settle(put(leader, key, 'v', { lease: id }));
  const { revision } = leader.store;
  const dueMs = await afterRenewal(members, leader, id, 5);
  await members.clock.pass(dueMs - members.clock.monotonicMs() - 1);
  for (const member of members.all) assert.equal(member.store.revision, revision, 'it ended early');
  await members.clock.pass(lateMs);
  for (const member of members.all) {
    assert.equal(member.store.revision, revision + 1);
    assert.deepEqual(await keysOf(member), ['bound once']);
    await assertFails(members.settle(keepAlive(member, id)), 'lease_not_found');
  }
});

test('expiry: each lease has a revision of its own; one without keys changes none', async () => {
  await using members = await TestMembers.start(1);
  const member = await members.leader();
  const ids: LeaseId[] = [];
  for (let i = 0; i < 3; i++) ids.push((await members.settle(grant(member, 5))).id);
  for (const id of ids.slice(1)) await members.settle(put(member, `of ${id}`, 'v', { lease: id }));
  const { revision } = member.store;
  await members.clock.pass(6000);
  assert.deepEqual([member.store.leases.size, member.store.revision], [0, revision + 2]);
});

test('expiry: a lease that is renewed through followers lives on for as long as it is', async () => {
  await using members = await TestMembers.start(3);
  const leader = await members.leader();
  const { id } = await members.settle(grant(leader, 3));
  await members.settle(put(leader, 'k', 'v', { lease: id }));
  for (let round = 0; round < 20; round++) {
    const [follower] = members.others(leader);
    assert.ok(follower);
    await members.settle(keepAlive(follower, id));
    await members.clock.pass(2500);
  }
  assert.ok((await members.settle(get(leader, 'k'))).kv !== undefined);
  await members.clock.pass(500 + lateMs);
  assert.equal((await members.settle(get(leader, 'k'))).kv, undefined);
});

test('keep-alive: of a lease that was revoked through another member says that there is none (etcd#20615)', async () => {
  await using members = await TestMembers.start(3);
  const leader = await members.leader();
  const [one, other] = members.others(leader);
  assert.ok(one && other);
  const { id } = await members.settle(grant(one, 60));
  await members.settle(other.leases.revoke(id, { timeoutMs }));
  for (const member of members.all) await assertFails(members.settle(keepAlive(member, id)), 'lease_not_found');
});

test('keep-alive: while it is revoked it either renews it before that, or finds no lease', async () => {
  await using members = await TestMembers.start(3);
  const leader = await members.leader();
  const [follower] = members.others(leader);
  assert.ok(follower);
  for (let round = 0; round < 20; round++) {
    const { id } = await members.settle(grant(leader, 60));
    let isRevoked = false;
    const revoke = leader.leases.revoke(id, { timeoutMs }).then(() => {
      isRevoked = true;
    });
    const renewals = [leader, follower, leader].map(async (member) => {
      const wasRevoked = isRevoked;
      try {
        await keepAlive(member, id);
        assert.ok(!wasRevoked, 'renewed after its revocation was acknowledged');
      } catch (reason) {
        await assertFails(Promise.reject(reason), 'lease_not_found');
      }
    });
    await members.settle(Promise.all([revoke, ...renewals]));
    await assertFails(members.settle(keepAlive(follower, id)), 'lease_not_found');
  }
});

test('keep-alive: a leader that is cut off and does not know it renews nothing (etcd#17642)', async () => {
  await using members = await TestMembers.start(3);
  const old = await members.leader();
  const { id } = await members.settle(grant(old, 60));
  members.network.isolate(old.id);
  const renewal = assertFails(keepAlive(old, id, 30_000), 'lease_not_found');
  const left = assertFails(old.leases.timeToLive(id, { timeoutMs: 30_000, keys: true }), 'lease_not_found');
  const others = members.others(old);
  const next = await members.leader(others);
  await members.settle(next.leases.revoke(id, { timeoutMs }));
  members.network.heal();
  await members.settle(Promise.all([renewal, left]));
});

test('keep-alive: of a lease whose end is under way waits for that end: the next leader may never hear of it', async () => {
  await using members = await TestMembers.start(3);
  const old = await members.leader();
  const { id } = await members.settle(grant(old, 5));
  await members.clock.pass(4500);
  const { propose } = old.replica;
  // As when it has too many writes under way: the expiry is tried again and again.
  old.replica.propose = async () => ({ outcome: 'not_executed' });
  await members.clock.pass(1500);
  const renewals = Promise.all(members.all.map((member) => keepAlive(member, id)));
  const left = old.leases.timeToLive(id, { timeoutMs, keys: false });
  await members.clock.pass(500);
  assert.equal(old.store.leases.size, 1, 'it has not ended');
  await members.changeLeader();
  old.replica.propose = propose;
  for (const { ttl } of await members.settle(renewals)) assert.equal(ttl, 5);
  assert.ok((await members.settle(left)).ttl > 0);
});

test('keep-alive: of a lease whose end is under way says that there is none as soon as that is so', async () => {
  await using members = await TestMembers.start(3);
  const leader = await members.leader();
  const { id } = await members.settle(grant(leader, 5));
  await members.clock.pass(4500);
  const { propose } = leader.replica;
  leader.replica.propose = async () => ({ outcome: 'not_executed' });
  await members.clock.pass(1500);
  const renewals = Promise.all(members.all.map((member) => assertFails(keepAlive(member, id), 'lease_not_found')));
  await members.clock.pass(500);
  leader.replica.propose = propose;
  const startedMs = members.clock.monotonicMs();
  await members.settle(renewals);
  assert.ok(members.clock.monotonicMs() - startedMs <= lateMs);
});

test('keep-alive: without a leader it ends with no_leader within its time', async () => {
  await using members = await TestMembers.start(3);
  const leader = await members.leader();
  const { id } = await members.settle(grant(leader, 60));
  for (const { id: member } of members.all) members.network.isolate(member);
  await members.clock.pass(5 * electionTimeoutMs);
  const startedMs = members.clock.monotonicMs();
  await assertFails(members.settle(keepAlive(leader, id, 1000)), 'no_leader');
  assert.ok(members.clock.monotonicMs() - startedMs <= 1100);
});

test('leader paused: a lease that was renewed elsewhere meanwhile is not ended by it (etcd#15247)', async () => {
  await using members = await TestMembers.start(3);
  const old = await members.leader();
  const { id } = await members.settle(grant(old, 5));
  await members.settle(put(old, 'k', 'v', { lease: id }));
  old.process.pause();
  const others = members.others(old);
  const next = await members.leader(others);
  for (let round = 0; round < 10; round++) {
    await members.settle(keepAlive(next, id));
    await members.clock.pass(2000);
  }
  old.process.resume();
  await members.clock.pass(2000);
  for (const member of members.all) assert.deepEqual(await keysOf(member), ['k']);
  await members.clock.pass(2000);
  for (const member of members.all) assert.deepEqual(await keysOf(member), [], 'its time is up');
});

test('leader paused: an expiry that it had under way is of no effect under the next leader (etcd#15247)', async () => {
  await using members = await TestMembers.start(3);
  const old = await members.leader();
  const { id } = await members.settle(grant(old, 5));
  await members.settle(put(old, 'k', 'v', { lease: id }));
  await members.clock.pass(4800);
  const lastIndex = old.replica.core.lastIndex;
  for (const { id: other } of members.others(old)) members.network.cut(old.id, other);
  await members.clock.until('it ends the lease in its own log', () => old.replica.core.lastIndex > lastIndex, 500);
  const others = members.others(old);
  const next = await members.leader(others);
  await members.settle(keepAlive(next, id));
  members.network.heal();
  await members.clock.pass(4500);
  for (const member of members.all) assert.deepEqual(await keysOf(member), ['k']);
});

test('leader stalled alone: its leases wait for the renewals that lie unread', async () => {
  await using members = await TestMembers.start(1);
  const member = await members.leader();
  const { id } = await members.settle(grant(member, 5));
  await members.settle(put(member, 'k', 'v', { lease: id }));
  member.process.pause();
  await members.clock.pass(60_000);
  member.process.resume();
  await members.settle(keepAlive(member, id));
  assert.deepEqual(await keysOf(member), ['k']);
});

test('leader change: what was left goes on, and an election timeout on top', async () => {
  await using members = await TestMembers.start(3);
  const leader = await members.leader();
  const { id } = await members.settle(grant(leader, 120));
  await members.clock.pass(61_000);
  const next = await members.changeLeader();
  const { ttl } = await members.settle(next.leases.timeToLive(id, { timeoutMs, keys: false }));
  assert.ok(ttl >= 58 && ttl <= 61, `${ttl} s are left of what the checkpoint said: 60`);
});

test('leader change: again and again, a lease that nobody renews ends none the less (etcd#9888)', async () => {
  await using members = await TestMembers.start(3);
  const leader = await members.leader();
  await members.settle(grant(leader, 20));
  const startedMs = members.clock.monotonicMs();
  let changes = 0;
  while (leader.store.leases.size > 0) {
    await members.clock.pass(12_000);
    await members.changeLeader();
    changes++;
    assert.ok(changes < 20, 'it never ends');
  }
  const livedMs = members.clock.monotonicMs() - startedMs;
  assert.ok(livedMs >= 20_000 && changes <= 3, `${livedMs} ms, ${changes} leaders`);
});

test('leader change: a lease that was renewed after its checkpoint has all its time under the next leader', async () => {
  await using members = await TestMembers.start(3);
  const leader = await members.leader();
  const { id } = await members.settle(grant(leader, 20));
  await members.clock.pass(15_000);
  assert.equal(leader.store.leases.get(id)?.remaining, 10);
  await members.settle(keepAlive(leader, id));
  const renewedMs = members.clock.monotonicMs();
  const next = await members.changeLeader();
  await members.clock.pass(renewedMs + 19_900 - members.clock.monotonicMs());
  assert.equal(next.store.leases.size, 1, 'it ended early');
});

test('idempotency: a grant that is repeated gives the same lease, through any member and under any leader', async () => {
  await using members = await TestMembers.start(3);
  await members.leader();
  const options = { timeoutMs, idempotencyKey: 'once' };
  const first = await members.settle(requireFirst(members).leases.grant({ id: undefined, ttl: 60 }, options));
  for (const member of members.all) {
    const again = await members.settle(member.leases.grant({ id: undefined, ttl: 60 }, options));
    assert.deepEqual([again.id, again.header.revision], [first.id, first.header.revision]);
  }
  const next = await members.changeLeader();
  const again = await members.settle(next.leases.grant({ id: undefined, ttl: 60 }, options));
  assert.equal(again.id, first.id);
  assert.equal(next.store.leases.size, 1);
});

test('idempotency: a revocation that is repeated says again what it deleted', async () => {
  await using members = await TestMembers.start(3);
  const leader = await members.leader();
  const { id } = await members.settle(grant(leader, 60));
  await members.settle(put(leader, 'k', 'v', { lease: id }));
  const options = { timeoutMs, idempotencyKey: 'once' };
  for (const member of members.all) {
    assert.equal((await members.settle(member.leases.revoke(id, options))).deleted, 1);
  }
});

/** When the lease is due after a renewal at this moment. */
async function afterRenewal(members: TestMembers, member: TestMember, id: LeaseId, ttl: number): Promise<number> {
  const startedMs = members.clock.monotonicMs();
  await members.settle(keepAlive(member, id));
  return startedMs + 1000 * ttl;
}

function grant(member: TestMember, ttl: number, id?: LeaseId) {
  return member.leases.grant({ id, ttl }, { timeoutMs });
}

function keepAlive(member: TestMember, id: LeaseId, within = timeoutMs) {
  return member.leases.keepAlive(id, { timeoutMs: within });
}

function requireFirst({ all: [first] }: TestMembers): TestMember {
  assert.ok(first);
  return first;
}
