import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Command } from './command.ts';
import type { MemberRecord } from './member-record.ts';
import { databases } from './testing/databases.ts';
import { members, openTestStore, type TestStore } from './testing/test-store.ts';

const joiner: MemberRecord = {
  id: 'd4',
  name: 'node-d4',
  peerUrls: ['http://d4:2380'],
  clientUrls: [],
  version: '',
  promote: 'auto',
};
const { promote: _, ...voter } = joiner;

for (const { name, create } of databases) {
  test(`members over ${name}: come, are changed, and go, and all of it is there after a restart`, async (t) => {
    const { database } = await create(t);
    const first = await openTestStore(database);
    const ids = (): string[] => first.store.members.map(({ id }) => id);
    assert.equal(await outcome(first, { kind: 'memberAdd', member: joiner }), 'done');
    assert.deepEqual([ids(), first.store.members.at(-1)], [['a1', 'b2', 'c3', 'd4'], joiner]);
    assert.equal(await outcome(first, { kind: 'memberUpdate', memberId: 'b2', peerUrls: ['http://new:1'] }), 'done');
    assert.equal(await outcome(first, { kind: 'memberPromoted', memberId: 'd4' }), 'done');
    assert.equal(await outcome(first, { kind: 'memberRemove', memberId: 'a1' }), 'done');
    await first.store.close();
    const again = await openTestStore(database);
    const [, b2, c3] = members;
    assert.deepEqual(again.store.members, [{ ...b2, peerUrls: ['http://new:1'] }, c3, voter]);
    assert.deepEqual([...again.store.removedMembers], ['a1']);
    await again.store.close();
  });

  test(`members over ${name}: an id that was removed is never taken again`, async (t) => {
    const { database } = await create(t);
    const first = await openTestStore(database);
    await first.apply({ kind: 'memberRemove', memberId: 'c3' });
    assert.equal(await outcome(first, { kind: 'memberAdd', member: { ...joiner, id: 'c3' } }), 'member_removed');
    await first.store.close();
    const again = await openTestStore(database);
    assert.equal(await outcome(again, { kind: 'memberAdd', member: { ...joiner, id: 'c3' } }), 'member_removed');
    assert.equal(await outcome(again, { kind: 'memberUpdate', memberId: 'c3', peerUrls: [] }), 'member_not_found');
    assert.equal(await outcome(again, { kind: 'memberPromoted', memberId: 'c3' }), 'member_not_found');
    assert.equal(await outcome(again, { kind: 'memberRemove', memberId: 'c3' }), 'member_not_found');
    assert.equal(again.store.members.length, 2);
    await again.store.close();
  });
}

test('members: one that is there is not added again, and nobody gets the address of another', async (t) => {
  const { database } = await (databases[0]?.create(t) ?? assert.fail());
  const store = await openTestStore(database);
  const before = store.store.members;
  assert.equal(await outcome(store, { kind: 'memberAdd', member: { ...joiner, id: 'a1' } }), 'member_exists');
  const taken = ['http://x:1', 'http://b2:2380'];
  assert.equal(await outcome(store, { kind: 'memberUpdate', memberId: 'a1', peerUrls: taken }), 'peer_url_taken');
  assert.deepEqual(store.store.members, before);
  await store.store.close();
});

test('members: what one publishes and where it is reached never make a voter of it', async (t) => {
  const { database } = await (databases[0]?.create(t) ?? assert.fail());
  const store = await openTestStore(database);
  await store.apply({ kind: 'memberAdd', member: { ...joiner, promote: 'manual' } });
  await store.apply({ kind: 'publish', memberId: 'd4', name: 'new', clientUrls: ['http://d4:2379'], version: '2' });
  await store.apply({ kind: 'memberUpdate', memberId: 'd4', peerUrls: ['http://d4:1'] });
  assert.equal(store.store.members.at(-1)?.promote, 'manual');
  await store.store.close();
});

test('members: the alarm about one goes with it', async (t) => {
  const { database } = await (databases[0]?.create(t) ?? assert.fail());
  const store = await openTestStore(database);
  await store.apply({ kind: 'alarm', action: 'raise', memberId: 'b2', index: 1, hash: 5 });
  await store.apply({ kind: 'memberRemove', memberId: 'b2' });
  assert.equal(store.store.corruptMembers.size, 0);
  await store.store.close();
  const again = await openTestStore(database);
  assert.equal(again.store.corruptMembers.size, 0);
  await again.store.close();
});

async function outcome({ apply }: TestStore, command: Command): Promise<string> {
  const result = await apply(command);
  return result.kind === 'refused' ? result.refusal : result.kind;
}
