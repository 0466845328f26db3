import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BalsaError } from '../contract/errors.ts';
import { ClusterVersion } from './cluster-version.ts';
import { MemberExpelled } from './member-expelled.ts';
import { publishCommand } from './replica.ts';
import { type TestMember, TestMembers } from './testing/members.ts';
import { assertFails, get, keysOf, linearizable, put, text } from './testing/requests.ts';

const timeoutMs = 10_000;
const software = '0.2.0';

test('members: one that is added gets the store by a snapshot, catches up, and votes by itself', async () => {
  await using members = await TestMembers.start(3, 1, { software });
  const leader = await members.leader();
  for (let i = 0; i < 20; i++) await members.settle(put(leader, `k${i}`, 'v'));
  const [through] = members.others(leader) as [TestMember];
  const joined = await members.join(through, 'auto');
  await members.clock.until('its vote', () => isVoter(leader, joined.id) && isVoter(joined, joined.id));
  assert.equal((await keysOf(joined)).length, 20);
  await members.settle(put(joined, 'from the new one', 'v'));
  const listed = await members.settle(joined.membership.list({ timeoutMs, consistency: linearizable }));
  assert.deepEqual(listed.members.map(({ name, role }) => `${name} ${role}`).sort(), [
    'node1 voter',
    'node2 voter',
    'node3 voter',
    'node4 voter',
  ]);
});

test('members: a cluster of one grows to three, and each of them can lead', async () => {
  await using members = await TestMembers.start(1, 1, { software });
  const [first] = members.all as [TestMember];
  await members.leader([first]);
  await members.settle(put(first, 'k', 'v'));
  for (let i = 0; i < 2; i++) {
    const joined = await members.join(first, 'auto');
    await members.clock.until('its vote', () => isVoter(first, joined.id));
  }
  for (const member of members.all) {
    await members.settle(members.all[0]?.membership.moveLeader(member.id, { timeoutMs }) ?? Promise.reject());
    assert.equal((await members.leader()).id, member.id);
    assert.equal(text((await members.settle(get(member, 'k'))).kv?.value ?? new Uint8Array()), 'v');
  }
});

test('members: a learner stays one until it is promoted, and cannot be before it has caught up', async () => {
  await using members = await TestMembers.start(3, 1, { software });
  const leader = await members.leader();
  const { member } = await members.settle(
    leader.membership.add({ name: 'late', peerUrls: ['http://late:2380'], promote: 'manual' }, { timeoutMs }),
  );
  assert.ok(member !== undefined && member.role === 'learner');
  await assertFails(members.settle(leader.membership.promote(member.id, { timeoutMs })), 'learner_behind');
  const joined = await members.join(leader, 'manual');
  await members.clock.until('its state', () => joined.store.appliedIndex === leader.store.appliedIndex);
  assert.ok(!isVoter(leader, joined.id));
  await members.settle(leader.membership.promote(joined.id, { timeoutMs }));
  assert.ok(isVoter(leader, joined.id));
  await assertFails(members.settle(leader.membership.promote(joined.id, { timeoutMs })), 'not_a_learner');
});

test('members: one that was removed stops, and its id is never used again', async () => {
  await using members = await TestMembers.start(3, 1, { software });
  const leader = await members.leader();
  const [victim, other] = members.others(leader) as [TestMember, TestMember];
  const answer = await members.settle(other.membership.remove(victim.id, { timeoutMs }));
  assert.equal(answer.member, undefined);
  await members.clock.until('the tables', () => leader.store.removedMembers.has(victim.id));
  await members.settle(put(leader, 'k', 'v'));
  await assertFails(members.settle(leader.membership.remove(victim.id, { timeoutMs })), 'member_not_found');
  await assertFails(members.settle(leader.membership.promote(victim.id, { timeoutMs })), 'member_not_found');
});

test('members: a leader that is to be removed hands over first, and stops', async () => {
  await using members = await TestMembers.start(3, 1, { software });
  const leader = await members.leader();
  const others = members.others(leader);
  await members.settle(leader.membership.remove(leader.id, { timeoutMs }));
  const next = await members.leader(others);
  await members.settle(put(next, 'k', 'v'));
  await members.clock.until(
    'its end',
    () => leader.failures[0] instanceof MemberExpelled || next.store.removedMembers.has(leader.id),
  );
});

test('members: nobody is removed if too few were left to decide', async () => {
  await using members = await TestMembers.start(3, 1, { software });
  const leader = await members.leader();
  const [down, up] = members.others(leader) as [TestMember, TestMember];
  members.network.isolate(down.id);
  const seen = (): boolean | undefined =>
    leader.replica.core.status().followers.find(({ id }) => id === down.id)?.recentlyActive;
  await members.clock.until('its silence', () => seen() === false);
  await assertFails(members.settle(leader.membership.remove(up.id, { timeoutMs })), 'quorum_at_risk');
  await members.settle(leader.membership.remove(down.id, { timeoutMs }));
  await members.settle(put(up, 'k', 'v'));
});

test('members: an address belongs to one of them, and can be changed', async () => {
  await using members = await TestMembers.start(3, 1, { software });
  const leader = await members.leader();
  const taken = { name: 'again', peerUrls: ['http://node1:2380'], promote: 'auto' } as const;
  await assertFails(members.settle(leader.membership.add(taken, { timeoutMs })), 'member_exists');
  const moved = ['http://10.0.0.7:2380'];
  await members.settle(leader.membership.update('2', moved, { timeoutMs }));
  for (const { store } of members.all) {
    await members.clock.until(
      'the address',
      () => store.members.find(({ id }) => id === '2')?.peerUrls[0] === moved[0],
    );
  }
  for (const peerUrls of [[], ['https://a:1'], ['http://a:1/path'], ['nonsense'], ['http://a:0']]) {
    await assertFails(members.settle(leader.membership.update('2', peerUrls, { timeoutMs })), 'bad_request');
  }
});

test('members: one that was away for long gets a snapshot, while the others go on', async () => {
  await using members = await TestMembers.start(3, 1, { software, snapshotCount: 10 });
  const leader = await members.leader();
  const [away] = members.others(leader) as [TestMember];
  members.network.isolate(away.id);
  for (let i = 0; i < 200; i++) await members.settle(put(leader, `k${i % 50}`, String(i)));
  await members.clock.until('the store on disk', () => leader.store.durableIndex > 200);
  await members.settle(put(leader, 'k0', 'v'));
  const first = leader.replica.options.log.firstIndex();
  assert.ok(first > away.store.appliedIndex + 1, `the log begins at ${first}`);
  members.network.heal();
  await members.clock.until('its state', () => away.store.revision === leader.store.revision);
  await members.settle(put(away, 'k', 'v'));
  await members.clock.until('the same again', () => away.store.revision === leader.store.revision);
  assert.deepEqual(await keysOf(away), await keysOf(leader));
  assert.deepEqual(away.failures, []);
});

test('members: whoever was fed by a snapshot goes on with it after a restart', async () => {
  await using members = await TestMembers.start(3, 1, { software, snapshotCount: 10 });
  const leader = await members.leader();
  for (let i = 0; i < 100; i++) await members.settle(put(leader, `k${i}`, 'v'));
  const joined = await members.join(leader, 'auto');
  await members.clock.until('its vote', () => isVoter(leader, joined.id));
  const again = await members.restart(joined, 'kept');
  await members.settle(put(again, 'k', 'v'));
  await members.clock.until('its state', () => again.store.revision === leader.store.revision);
  assert.deepEqual(await keysOf(again), await keysOf(leader));
});

test('members: one that may have been added is not reported as refused', async () => {
  await using members = await TestMembers.start(3, 1, { software });
  const leader = await members.leader();
  const [through] = members.others(leader) as [TestMember];
  // The question arrives, its answer does not, and neither does any later one.
  members.network.cut(leader.id, through.id);
  const request = { name: 'node4', peerUrls: ['http://node4:2380'], promote: 'manual' } as const;
  await assertFails(members.settle(through.membership.add(request, { timeoutMs: 400 })), 'outcome_unknown');
  assert.ok(leader.store.members.some(({ name }) => name === 'node4'));
});

test('members: more than three that join at once do not wait for those who have their snapshot', async () => {
  await using members = await TestMembers.start(1, 1, { software });
  const leader = await members.leader();
  const startMs = members.clock.monotonicMs();
  for (let i = 0; i < 5; i++) {
    const joined = await members.join(leader, 'auto');
    await members.clock.until('its vote', () => isVoter(leader, joined.id), 60_000);
  }
  assert.ok(members.clock.monotonicMs() - startMs < 20_000);
});

function isVoter(as: TestMember, id: string): boolean {
  const { voters, votersOutgoing } = as.replica.core.status().configuration;
  return voters.includes(id) && votersOutgoing.length === 0;
}

test('members: nobody comes or goes while one of them runs software that would not understand it', async () => {
  await using members = await TestMembers.start(3);
  for (const { replica } of members.all) new ClusterVersion(replica);
  const leader = await members.leader();
  const [old, other] = members.others(leader) as [TestMember, TestMember];
  const says = ({ id, replica }: TestMember, version: string): Promise<unknown> =>
    members.settle(replica.submit(publishCommand({ id, name: `node${id}`, clientUrls: [], version }), timeoutMs));
  const add = { name: 'new', peerUrls: ['http://new:2380'], promote: 'auto' } as const;
  await says(leader, software);
  await says(other, software);
  const { lastIndex } = leader.replica.core;
  for (const [version, words] of [
    ['', /node\d \(\d\) has not been started yet: upgrade it, start it, or remove it first/],
    ['0.1.4', /runs 0\.1\.4/],
  ] as const) {
    await says(old, version);
    for (const change of [
      () => leader.membership.add(add, { timeoutMs }),
      () => leader.membership.remove(other.id, { timeoutMs }),
      () => leader.membership.update(other.id, ['http://moved:2380'], { timeoutMs }),
    ]) {
      const refusal = await members.settle(change()).then(() => assert.fail('it was made'), BalsaError.from);
      assert.equal(refusal.code, 'not_capable');
      assert.match(refusal.message, words);
    }
  }
  assert.equal(leader.replica.core.lastIndex, lastIndex + 2, 'nothing but what was said is in the log');

  await says(old, software);
  await members.settle(leader.membership.add(add, { timeoutMs }));
  assert.equal(leader.store.clusterVersion, '0.2');
});

test('members: while one leads that does not know changes of members, the others refuse them at once', async () => {
  await using members = await TestMembers.start(3);
  const leader = await members.leader();
  const [through] = members.others(leader) as [TestMember];
  const command = publishCommand({ id: leader.id, name: 'old', clientUrls: [], version: '0.1.4' });
  await members.settle(leader.replica.submit(command, timeoutMs));
  await members.clock.until('its version', () => through.store.appliedIndex === leader.store.appliedIndex);
  const { lastIndex } = leader.replica.core;
  for (const change of [
    () => through.membership.add({ name: 'new', peerUrls: ['http://new:2380'], promote: 'auto' }, { timeoutMs }),
    () => through.membership.moveLeader(undefined, { timeoutMs }),
  ] as readonly (() => Promise<unknown>)[]) {
    const refusal = await members.settle(change()).then(() => assert.fail('it was made'), BalsaError.from);
    assert.equal(refusal.code, 'not_capable');
    assert.match(refusal.message, /old \(\d\) leads and runs 0\.1\.4/);
  }
  assert.equal(leader.replica.core.lastIndex, lastIndex);
});

test('members: one that is too old, or never came, can be removed, and holds nothing back any more', async () => {
  await using members = await TestMembers.start(3);
  for (const { replica } of members.all) new ClusterVersion(replica);
  const leader = await members.leader();
  const [never, other] = members.others(leader) as [TestMember, TestMember];
  members.network.isolate(never.id);
  for (const { id, replica } of [leader, other]) {
    const command = publishCommand({ id, name: `node${id}`, clientUrls: [], version: software });
    await members.settle(replica.submit(command, timeoutMs));
  }
  await members.settle(leader.membership.remove(never.id, { timeoutMs }));
  const add = { name: 'new', peerUrls: ['http://new:2380'], promote: 'auto' } as const;
  await members.settle(leader.membership.add(add, { timeoutMs }));
});

test('members: two that were lost before they ran what understands it held back each other from being removed', async () => {
  await using members = await TestMembers.start(5);
  for (const { replica } of members.all) new ClusterVersion(replica);
  const leader = await members.leader();
  const [one, other, ...rest] = members.others(leader) as [TestMember, TestMember, ...TestMember[]];
  for (const { id, replica } of [leader, ...rest]) {
    const command = publishCommand({ id, name: `node${id}`, clientUrls: [], version: software });
    await members.settle(replica.submit(command, timeoutMs));
  }
  const isUp = ({ id }: TestMember): boolean | undefined =>
    leader.replica.core.status().followers.find((follower) => follower.id === id)?.recentlyActive;
  const refusal = await members
    .settle(leader.membership.remove(one.id, { timeoutMs }))
    .then(() => assert.fail('it was made'), BalsaError.from);
  assert.equal(refusal.code, 'not_capable', 'the other one is up, and would read it');
  for (const { id } of [one, other]) members.network.isolate(id);
  await members.clock.until('their silence', () => isUp(one) === false && isUp(other) === false);
  for (const { id } of [one, other]) await members.settle(leader.membership.remove(id, { timeoutMs }));
  await members.clock.until('the version', () => leader.store.clusterVersion === '0.2');
});
