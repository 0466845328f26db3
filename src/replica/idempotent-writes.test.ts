import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyRange } from '../contract/key-range.ts';
import { type TestMember, TestMembers } from './testing/members.ts';
import { assertFails, bytes, get, put, text } from './testing/requests.ts';

const timeoutMs = 5000;

test('idempotent writes: repeated through every member, and under another leader, they are applied once', async () => {
  await using members = await TestMembers.start(3);
  const leader = await members.leader();
  const first = await members.settle(put(leader, 'k', 'v', { idempotencyKey: 'one' }));
  for (const member of members.all) {
    const again = await members.settle(put(member, 'k', 'v', { idempotencyKey: 'one' }));
    assert.deepEqual([again.modRevision, again.version, again.created], [first.modRevision, 1, true]);
  }
  await members.changeLeader();
  for (const member of members.all) {
    const again = await members.settle(put(member, 'k', 'v', { idempotencyKey: 'one' }));
    assert.equal(again.modRevision, first.modRevision);
  }
  await members.clock.pass(300);
  for (const { store } of members.all) assert.equal(store.revision, 2);
});

test('idempotent writes: the first answer is given even if the key was changed since', async () => {
  await using members = await TestMembers.start(1);
  const member = await members.leader();
  const first = await members.settle(put(member, 'k', 'v', { idempotencyKey: 'one' }));
  await members.settle(put(member, 'k', 'w'));
  const again = await members.settle(put(member, 'k', 'v', { idempotencyKey: 'one' }));
  assert.equal(again.modRevision, first.modRevision);
  const { kv } = await members.settle(get(member, 'k'));
  assert.equal(kv && text(kv.value), 'w');
});

test('idempotent writes: one whose outcome was unknown is repeated elsewhere, and applied once', async () => {
  await using members = await TestMembers.start(3);
  const old = await members.leader();
  for (const { id } of members.others(old)) members.network.cut(id, old.id);
  await assertFails(members.settle(put(old, 'k', 'v', { idempotencyKey: 'one', timeoutMs: 800 })), 'outcome_unknown');
  members.network.isolate(old.id);
  const next = await members.leader(members.others(old));
  const again = await members.settle(put(next, 'k', 'v', { idempotencyKey: 'one' }));
  assert.equal(again.version, 1);
  members.network.heal();
  await members.leader();
  await members.clock.pass(1000);
  for (const { store } of members.all) assert.equal(store.revision, 2);
});

test('idempotent writes: counted up by many clients that repeat everything, through members that change, it is exact', async () => {
  await using members = await TestMembers.start(3);
  await members.leader();
  for (let round = 0; round < 10; round++) {
    const additions = [0, 1, 2].flatMap((client) =>
      members.all.map((member) => add(member, `round ${round} of ${client}`, `${round} ${client}`)),
    );
    if (round % 3 === 1) await members.changeLeader();
    await members.settle(Promise.allSettled(additions));
    // Whatever failed is sent again, by which it is certain to be there.
    for (const client of [0, 1, 2]) {
      await members.settle(add(await members.leader(), `round ${round} of ${client}`, `${round} ${client}`));
    }
  }
  const { kv } = await members.settle(get(await members.leader(), 'count'));
  assert.equal(kv?.version, 30, 'one for each write, however often it was sent');
});

test('idempotent writes: a deletion, a transaction and a compaction say what they said', async () => {
  await using members = await TestMembers.start(3);
  const leader = await members.leader();
  for (const key of ['a', 'b', 'c']) await members.settle(put(leader, key, 'v'));
  const once = (name: string) => ({ timeoutMs, idempotencyKey: name });
  for (const member of members.all) {
    const range = { start: bytes('a'), end: bytes('c') };
    const deleted = await members.settle(member.kv.deleteRange({ range }, once('range')));
    assert.deepEqual([deleted.deleted, deleted.header.revision], [2, 5]);
    const removal = { kind: 'delete', range: keyRange(bytes('c')), previous: true } as const;
    const txn = { compare: [], success: [removal], failure: [] };
    const { results } = await members.settle(member.kv.txn(txn, once('txn')));
    assert.equal(results[0]?.kind === 'delete' && results[0].deleted, 1);
    await members.settle(member.kv.compact(5, once('compact')));
  }
  assert.equal(leader.store.revision, 6);
});

test('idempotent writes: a refusal is repeated as well, and the key of another write is refused', async () => {
  await using members = await TestMembers.start(3);
  const leader = await members.leader();
  await assertFails(members.settle(put(leader, 'k', 'v', { lease: 7n, idempotencyKey: 'one' })), 'lease_not_found');
  await members.settle(leader.leases.grant({ id: 7n, ttl: 60 }, { timeoutMs }));
  for (const member of members.all) {
    await assertFails(members.settle(put(member, 'k', 'v', { lease: 7n, idempotencyKey: 'one' })), 'lease_not_found');
    await assertFails(members.settle(put(member, 'k', 'w', { idempotencyKey: 'one' })), 'bad_request');
  }
});

test('idempotent writes: a key of no bytes, or of too many, is refused before anything is proposed', async () => {
  await using members = await TestMembers.start(1);
  const member = await members.leader();
  const { lastIndex } = member.replica.core;
  for (const idempotencyKey of ['', 'x'.repeat(257), 'ü'.repeat(129)]) {
    await assertFails(put(member, 'k', 'v', { idempotencyKey }), 'bad_request');
  }
  assert.equal(member.replica.core.lastIndex, lastIndex);
  await members.settle(put(member, 'k', 'v', { idempotencyKey: 'ü'.repeat(128) }));
});

/** Adds a version to the key `count`. */
function add(member: TestMember, value: string, idempotencyKey: string): Promise<unknown> {
  return put(member, 'count', value, { idempotencyKey, timeoutMs: 20_000 });
}
