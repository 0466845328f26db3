import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../base/random.ts';
import type { MemberId } from '../raft/index.ts';
import { StateDiffers } from './integrity.ts';
import { type TestDuties, type TestMember, TestMembers } from './testing/members.ts';
import { bytes, keysOf, put } from './testing/requests.ts';
import { wrongStore } from './testing/wrong-store.ts';

const timeoutMs = 5000;
const integrityIntervalMs = 10_000;
const honest: TestDuties = { integrityIntervalMs };

test('integrity: members with the same state go on, and compare it as often as they should', async () => {
  await using members = await TestMembers.start(3, 1, honest);
  const leader = await members.leader();
  for (let round = 1; round <= 5; round++) {
    await members.settle(put(leader, 'k', `v${round}`));
    await members.clock.pass(integrityIntervalMs);
    for (const { store } of members.all) assert.equal(store.stateHashes.length, round);
  }
  assertNobodyIsNamed(members);
});

test('integrity: while nothing is written nothing is compared, and the log does not grow', async () => {
  await using members = await TestMembers.start(3, 1, honest);
  const leader = await members.leader();
  await members.settle(put(leader, 'k', 'v'));
  await members.clock.pass(2 * integrityIntervalMs);
  const { lastIndex } = leader.replica.core;
  await members.clock.pass(10 * integrityIntervalMs);
  assert.equal(leader.replica.core.lastIndex, lastIndex);
});

test('integrity: a follower that differs is named by the others, and stops', async () => {
  await using members = await TestMembers.start(3, 1, wrong('3'));
  const { named, others } = await differ(members, '3');
  assert.deepEqual([...named.store.corruptMembers.keys()], ['3']);
  await members.clock.pass(1000);
  for (const other of others) {
    assert.deepEqual([...other.store.corruptMembers.keys()], ['3']);
    assert.deepEqual(other.failures, []);
  }
  const [one] = others;
  assert.ok(one);
  await members.settle(put(one, 'after', 'v'));
});

test('integrity: a leader that differs names itself, and another leads', async () => {
  const leader = await firstLeader(7);
  await using members = await TestMembers.start(3, 7, wrong(leader));
  assert.equal((await members.leader()).id, leader);
  const { others } = await differ(members, leader);
  const next = await members.leader(others);
  await members.settle(put(next, 'after', 'v'));
  assert.deepEqual([...next.store.corruptMembers.keys()], [leader]);
});

test('integrity: a member that starts over the same wrong state stops again', async () => {
  await using members = await TestMembers.start(3, 1, wrong('3'));
  const { named } = await differ(members, '3');
  const again = await members.restart(named, 'kept', honest);
  await members.clock.until('it stops again', () => again.failures.length > 0);
  assert.ok(again.failures[0] instanceof StateDiffers);
});

test('integrity: a member whose state is made anew from the log clears the alarm, and has what the others have', async () => {
  await using members = await TestMembers.start(3, 1, wrong('3'));
  const { named } = await differ(members, '3');
  const healed = await members.restart(named, 'anew', honest);
  await members.clock.until('the alarm is cleared', () =>
    members.all.every(({ store }) => store.corruptMembers.size === 0 && store.appliedIndex > 0),
  );
  assert.deepEqual(healed.failures, []);
  for (const member of members.all) assert.deepEqual(await keysOf(member), await keysOf(healed));
  await members.settle(put(healed, 'after', 'v'));
  await members.clock.pass(2 * integrityIntervalMs);
  assertNobodyIsNamed(members);
});

test('integrity: a member that is made anew long after it was named does not name itself once more', async () => {
  await using members = await TestMembers.start(3, 1, wrong('3'));
  const { named, others } = await differ(members, '3');
  const leader = await members.leader(others);
  // More comparisons than members keep in mind.
  for (let i = 0; i < 20; i++) {
    await members.settle(put(leader, 'k', `v${i}`));
    await members.clock.pass(integrityIntervalMs);
  }
  const healed = await members.restart(named, 'anew', honest);
  await members.clock.until('the alarm is cleared', () =>
    members.all.every(({ store }) => store.corruptMembers.size === 0 && store.appliedIndex > 0),
  );
  assert.deepEqual(healed.failures, []);
});

test('integrity: a member that is made anew long after it was named, and wrong again, stops', async () => {
  await using members = await TestMembers.start(3, 1, wrong('3'));
  const { named, others } = await differ(members, '3');
  const leader = await members.leader(others);
  for (let i = 0; i < 20; i++) {
    await members.settle(put(leader, 'k', `v${i}`));
    await members.clock.pass(integrityIntervalMs);
  }
  const again = await members.restart(named, 'anew', wrong('3'));
  await members.clock.until('it stops again', () => again.failures.length > 0);
  assert.ok(again.failures[0] instanceof StateDiffers);
  assert.deepEqual([...leader.store.corruptMembers.keys()], ['3']);
});

test('integrity: where no majority is of one mind nobody is named, since nobody knows who is right', async () => {
  const storeOf: TestDuties['storeOf'] = (member, store) =>
    wrongStore(store, (command) => ({ ...command, value: bytes(`of ${member}`) }));
  await using members = await TestMembers.start(3, 1, { ...honest, storeOf });
  const leader = await members.leader();
  await members.settle(put(leader, 'k', 'v'));
  await members.clock.pass(5 * integrityIntervalMs);
  assert.equal(leader.store.stateHashes.length > 0, true, 'they were compared');
  assertNobodyIsNamed(members);
});

test('integrity: two of three that can be asked are enough to tell; one that differs alone with one other is not', async () => {
  await using members = await TestMembers.start(3, 1, wrong('3'));
  const leader = await members.leader();
  const absent = members.all.find(({ id }) => id !== '3' && id !== leader.id);
  assert.ok(absent);
  members.network.isolate(absent.id);
  await members.settle(put(leader, 'k', 'v'));
  await members.clock.pass(3 * integrityIntervalMs);
  for (const member of members.all) assert.deepEqual(member.failures, [], 'one against one says nothing');
  members.network.heal();
  await differ(members, '3');
});

test('integrity: a member that lags answers when it has come so far, and is not taken for wrong', async () => {
  await using members = await TestMembers.start(3, 1, honest);
  const leader = await members.leader();
  const [follower] = members.others(leader);
  assert.ok(follower);
  for (let round = 0; round < 5; round++) {
    members.network.cut(leader.id, follower.id);
    await members.settle(put(leader, 'k', `v${round}`));
    await members.clock.pass(integrityIntervalMs - 500);
    members.network.heal();
    await members.clock.pass(700);
  }
  await members.clock.pass(1000);
  assertNobodyIsNamed(members);
});

test('integrity: no false alarm in a long run of everything that changes state, with new leaders and restarts', async () => {
  const seed = 3;
  const random = seededRandom(seed);
  await using members = await TestMembers.start(3, seed, { integrityIntervalMs: 2000, quotaBytes: () => 100_000 });
  let compared = 0;
  for (let round = 0; round < 150; round++) {
    await members.leader();
    await Promise.allSettled([
      members.settle(somethingElse(members, random)),
      members.settle(somethingElse(members, random)),
    ]);
    if (round % 20 === 10) await members.changeLeader();
    if (round % 30 === 15) {
      const leader = await members.leader();
      const [follower] = members.others(leader);
      assert.ok(follower);
      await members.restart(follower, random.below(2) === 0 ? 'kept' : 'anew');
    }
    await members.clock.pass(random.below(1000));
    compared = Math.max(compared, ...members.all.map(({ store }) => store.stateHashes.at(-1)?.index ?? 0));
    for (const member of members.all) assert.deepEqual(member.failures, [], `seed ${seed}, round ${round}`);
  }
  await members.clock.pass(5000);
  assertNobodyIsNamed(members);
  assert.ok(compared > 150, `seed ${seed}: the last comparison was at index ${compared}`);
});

type TestRandom = ReturnType<typeof seededRandom>;

/** A write of any kind; some are refused. */
function somethingElse(members: TestMembers, random: TestRandom): Promise<unknown> {
  const member = members.all[random.below(3)] as TestMember;
  const key = `k${random.below(10)}`;
  const lease = BigInt(1 + random.below(3));
  switch (random.below(8)) {
    case 0:
      return member.leases.grant({ id: lease, ttl: 2 + random.below(5) }, { timeoutMs });
    case 1:
      return member.leases.revoke(lease, { timeoutMs });
    case 2:
      return put(member, key, 'leased', { lease });
    case 3:
      return member.kv.deleteRange({ range: { start: bytes(key), end: undefined } }, { timeoutMs });
    case 4:
      return member.kv.compact(Math.max(1, member.store.revision - random.below(5)), { timeoutMs });
    case 5:
      return member.kv.txn(
        { compare: [], success: [{ kind: 'put', key: bytes(key), value: bytes('t') }], failure: [] },
        { timeoutMs },
      );
    default:
      return put(member, key, `v${random.below(100)}`, { idempotencyKey: `token ${random.below(20)}` });
  }
}

/** The member applies puts of the key `k` wrongly. */
function wrong(who: MemberId): TestDuties {
  const storeOf: TestDuties['storeOf'] = (member, store) => {
    if (member !== who) return store;
    return wrongStore(store, (command) =>
      Buffer.from(command.key).equals(bytes('k')) ? { ...command, value: bytes('wrong') } : command,
    );
  };
  return { ...honest, storeOf };
}

/** Writes what that member gets wrong, and waits until it is named and has stopped. */
async function differ(members: TestMembers, who: MemberId): Promise<{ named: TestMember; others: TestMember[] }> {
  const named = members.all.find(({ id }) => id === who);
  assert.ok(named);
  const others = members.others(named);
  await members.settle(put(await members.leader(), 'k', 'v'));
  await members.clock.until(`member ${who} stops`, () => named.failures.length > 0, 3 * integrityIntervalMs);
  assert.ok(named.failures[0] instanceof StateDiffers, String(named.failures[0]));
  for (const other of others) assert.deepEqual(other.failures, []);
  return { named, others };
}

/** Who leads first with that seed. */
async function firstLeader(seed: number): Promise<MemberId> {
  await using members = await TestMembers.start(3, seed);
  return (await members.leader()).id;
}

function assertNobodyIsNamed(members: TestMembers): void {
  for (const { store, failures } of members.all) {
    assert.deepEqual([...store.corruptMembers.keys()], []);
    assert.deepEqual(failures, []);
  }
}
