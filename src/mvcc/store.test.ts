import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { InvariantViolation } from '../base/assert.ts';
import { ManualClock } from '../base/testing/manual-clock.ts';
import type { Condition } from '../contract/kv.ts';
import type { Command } from './command.ts';
import type { CommandResult } from './result.ts';
import { createLevelDatabase, databases, dumpDatabase, type TestDatabase } from './testing/databases.ts';
import {
  bytes,
  describeKv,
  describeStore,
  members,
  openTestStore,
  put,
  remove,
  removeRange,
} from './testing/test-store.ts';

for (const { name, create } of databases) {
  test(`store: ${name}: revisions: empty is 1, each change adds one`, (t) =>
    check(t, create, [
      ['put a=1', '2: created 2 v1'],
      ['put b=1', '3: created 3 v1'],
      ['put a=2', '4: create 2 v2'],
      ['put a=2', '5: create 2 v3'],
      ['delete b', '6: deleted 1'],
    ]));

  test(`store: ${name}: revisions: deleting nothing adds none`, (t) =>
    check(t, create, [
      ['delete a', '1: deleted 0'],
      ['deleteRange a-z', '1: deleted 0'],
      ['put a=1', '2: created 2 v1'],
      ['deleteRange b-z', '2: deleted 0'],
      ['deleteRange z-a', '2: deleted 0'],
    ]));

  test(`store: ${name}: a key that is created again begins at version 1 with a new create revision`, (t) =>
    check(t, create, [
      ['put a=1', '2: created 2 v1'],
      ['put a=2', '3: create 2 v2'],
      ['delete a', '4: deleted 1'],
      ['put a=3', '5: created 5 v1'],
    ]));

  test(`store: ${name}: a range is deleted in one revision, its end excluded`, (t) =>
    check(t, create, [
      ['put a=1', '2: created 2 v1'],
      ['put b=1', '3: created 3 v1'],
      ['put c=1', '4: created 4 v1'],
      ['deleteRange a-c', '5: deleted 2'],
      ['deleteRange -', '6: deleted 1'],
      ['put a=1', '7: created 7 v1'],
    ]));

  test(`store: ${name}: a range of more keys than the command may delete is left as it is`, (t) =>
    check(t, create, [
      ['put a=1', '2: created 2 v1'],
      ['put b=1', '3: created 3 v1'],
      ['put cc=1', '4: created 4 v1'],
      ['deleteRange - keys:2', '4: range_too_large (2, 100)'],
      ['deleteRange - bytes:3', '4: range_too_large (100, 3)'],
      ['put a=1', '5: create 2 v2'],
      ['deleteRange - keys:3', '6: deleted 3'],
    ]));

  test(`store: ${name}: previous: the key-value before, if there was one and it was asked for`, (t) =>
    check(t, create, [
      ['put a=1 previous', '2: created 2 v1'],
      ['put a=2 previous', '3: create 2 v2, was a=1 2/2/1'],
      ['put a=3', '4: create 2 v3'],
      ['delete a previous', '5: deleted 1, was a=3 2/4/3'],
      ['delete a previous', '5: deleted 0'],
    ]));

  test(`store: ${name}: a condition that fails changes nothing and tells the present mod revision`, (t) =>
    check(t, create, [
      ['put a=1 if exists', '1: failed, absent'],
      ['put a=1 if mod:1', '1: failed, absent'],
      ['delete a if exists', '1: failed, absent'],
      ['delete a if absent', '1: deleted 0'],
      ['put a=1 if absent', '2: created 2 v1'],
      ['put a=2 if absent', '2: failed, 2'],
      ['put a=2 if mod:1,3', '2: failed, 2'],
      ['put a=2 if mod:', '2: failed, 2'],
      ['put a=2 if mod:1,2', '3: create 2 v2'],
      ['put a=3 if exists', '4: create 2 v3'],
      ['delete a if mod:3', '4: failed, 4'],
      ['delete a if mod:4', '5: deleted 1'],
    ]));

  test(`store: ${name}: get: the present value, before and after it is durable`, async (t) => {
    const { database } = await create(t);
    const { store, apply } = await openTestStore(database);
    await apply(put('a', 'one'));
    assert.equal(describeKv(store.get(bytes('a')) ?? assert.fail()), 'a=one 2/2/1');
    await store.flush();
    assert.equal(describeKv(store.get(bytes('a')) ?? assert.fail()), 'a=one 2/2/1');
    await apply(remove('a'));
    assert.equal(store.get(bytes('a')), undefined);
    await store.flush();
    assert.equal(store.get(bytes('a')), undefined);
    await store.close();
  });

  test(`store: ${name}: members: those of the beginning, then what they publish, at no revision`, async (t) => {
    const { database } = await create(t);
    const { store, apply } = await openTestStore(database);
    assert.deepEqual(store.members, members);

    const published = { name: 'renamed', clientUrls: ['http://b2:2379'], version: '0.1.0' };
    assert.deepEqual(await apply({ kind: 'publish', memberId: 'b2', ...published }), {
      kind: 'done',
      revision: 1,
    });
    const [a1, b2, c3] = members;
    assert.deepEqual(store.members, [a1, { ...b2, ...published }, c3]);
    await store.close();

    const reopened = await openTestStore(database, { bootstrapMembers: [] });
    assert.deepEqual(reopened.store.members, [a1, { ...b2, ...published }, c3]);
    await reopened.store.close();
  });

  test(`store: ${name}: members: what an unknown one publishes is ignored`, async (t) => {
    const { database } = await create(t);
    const { store, apply } = await openTestStore(database);
    await apply({ kind: 'publish', memberId: 'd4', name: 'd4', clientUrls: [], version: '0.1.0' });
    assert.deepEqual(store.members, members);
    await store.close();
  });

  test(`store: ${name}: reopened, everything is as it was`, async (t) => {
    const { database, reopen } = await create(t);
    const first = await openTestStore(database);
    for (const key of ['b', 'a', 'c', 'a']) await first.apply(put(key, `value of ${key}`));
    await first.apply(remove('c'));
    const before = await describeStore(first.store);
    await first.store.close();
    if (name === 'leveldb') await reopen();

    const second = await openTestStore(database);
    assert.deepEqual(await describeStore(second.store), before);
    assert.equal(second.store.appliedIndex, 5);
    assert.equal(second.store.durableIndex, 5);
    await second.store.close();
  });

  test(`store: ${name}: groups in one database do not see each other`, async (t) => {
    const { database } = await create(t);
    const low = await openTestStore(database, { groupId: 1 });
    const high = await openTestStore(database, { groupId: 2, bootstrapMembers: [] });
    await low.apply(put('\xff\xff', 'low'));
    await high.apply(put('\x00', 'high'));
    await high.apply(removeRange(''));
    await Promise.all([low.store.flush(), high.store.flush()]);
    assert.deepEqual(await describeStore(low.store), {
      revision: 2,
      keyCount: 1,
      members,
      kvs: ['\xff\xff=low 2/2/1'],
    });
    assert.deepEqual(await describeStore(high.store), { revision: 3, keyCount: 0, members: [], kvs: [] });
    await Promise.all([low.store.close(), high.store.close()]);
  });

  test(`store: ${name}: an entry out of turn is a broken invariant`, async (t) => {
    const { database } = await create(t);
    const { store } = await openTestStore(database);
    store.apply(1, undefined);
    assert.throws(() => store.apply(1, undefined), InvariantViolation);
    assert.throws(() => store.apply(3, undefined), InvariantViolation);
    assert.equal(store.appliedIndex, 1);
    await store.close();
  });

  test(`store: ${name}: an entry behind a range deletion has to wait for it`, async (t) => {
    const { database } = await create(t);
    const { store, apply } = await openTestStore(database);
    await apply(put('a', '1'));
    const deletion = apply(removeRange('a'));
    assert.equal(store.appliedIndex, 1);
    assert.equal(describeKv(store.get(bytes('a')) ?? assert.fail()), 'a=1 2/2/1');
    assert.throws(() => store.apply(2, undefined), /while the one before still is/);
    await deletion;
    assert.equal(store.appliedIndex, 2);
    assert.equal(store.get(bytes('a')), undefined);
    await store.close();
  });

  test(`store: ${name}: closed, it refuses to work`, async (t) => {
    const { database } = await create(t);
    const { store } = await openTestStore(database);
    await Promise.all([store.close(), store.close()]);
    assert.throws(() => store.get(bytes('a')), /closed/);
    assert.throws(() => store.apply(1, undefined), /closed/);
    assert.throws(() => store.readView(), /closed/);
    assert.equal(database.status, 'open');
  });
}

test('store: the deletions of a range, their revision and their index appear at the same moment', async (t) => {
  // A flush may begin between any two steps: deletions in a batch without their index would be applied again.
  const { store, apply } = await openTestStore((await first(t)).database);
  for (const key of ['a', 'b', 'c']) await apply(put(key));
  const deletion = apply(removeRange('a', 'c'));
  const seen = new Set<string>();
  for (let step = 0; step < 1_000; step++) {
    const a = store.get(bytes('a')) === undefined ? 'gone' : 'there';
    seen.add(`index ${store.appliedIndex}, revision ${store.revision}, ${store.keyCount} keys, a is ${a}`);
    await undefined;
  }
  await deletion;
  assert.deepEqual([...seen], ['index 3, revision 4, 3 keys, a is there', 'index 4, revision 5, 1 keys, a is gone']);
  await store.close();
});

test('store: a command that does not decode stops the member', async (t) => {
  const { store } = await openTestStore((await first(t)).database);
  assert.throws(
    () => store.apply(1, Buffer.from([1, 99]), { term: 1 }),
    /log entry 1 cannot be applied: The command is malformed: format 1 of kind 99/,
  );
  assert.throws(() => store.apply(1, new Uint8Array(), { term: 1 }), InvariantViolation);
  assert.equal(store.appliedIndex, 0);
  await store.close();
});

test('store: a command of a later format says that the software is too old', async (t) => {
  const { store } = await openTestStore((await first(t)).database);
  assert.throws(() => store.apply(1, Buffer.from([3, 1]), { term: 1 }), {
    name: 'UnknownFormat',
    message: /older than the log/,
  });
  assert.equal(store.appliedIndex, 0);
  await store.close();
});

test('store: a database that has lost its state record is not taken for an empty one', async (t) => {
  const { database } = await first(t);
  const { store, apply } = await openTestStore(database);
  await apply(put('a', '1'));
  await store.close();
  await database.del(Buffer.from('\x00\x00\x00\x00\x01state', 'latin1'));
  await assert.rejects(openTestStore(database), { name: 'DamagedValue', message: /"state" \(meta\).*missing/ });
});

test('store: the format on disk stays as released: group, table, key; records with format and checksum', async (t) => {
  const { database } = await first(t);
  const { store, apply } = await openTestStore(database, { groupId: 7, bootstrapMembers: members.slice(0, 1) });
  await apply(put('k', 'value'));
  await apply(put('k', 'value!'));
  await store.close();
  assert.deepEqual(await dumpDatabase(database), [
    '00000007017374617465=01' +
      '0000000000000002' + // applied index
      '0000000000000003' + // revision
      '0000000000000001' + // keys
      '0000000000000000' + // compact revision
      '0000000000000000' + // removed revision
      '0000000000000025' + // live bytes
      '0000000000000066' + // history bytes
      '0000000000000000' + // compacted bytes
      '0000000000000000' + // quota
      '0000000000000000' + // no space
      '00000000c2f58b5a' + // hash
      '0000000000000000' + // first token
      '0000000000000000' + // next token
      '0000000000000000' + // bytes of tokens
      '72d4b5e8',
    '00000007026131=01000000076e6f64652d6131000000010000000e687474703a2f2f61313a323338300000000000000000f2d46b3a',
    '00000007106b=010000000000000000020000000000000003000000000000000276616c7565216d1bd8a3',
    '00000007116b00000000000000000002=0102000000000000000200000000000000020000000000000001000000000000000376616c75651ea071ce',
    '00000007120000000000000002=01000000000000000000000001000000000000000201000000000000000000000021000000016bf0763e48',
    '00000007120000000000000003=01000000000000002100000001000000000000000301000000000000000200000045000000016b64651a5c',
  ]);
});

test('store: a deletion of very many keys lets what has arrived be handled on the way', async (t) => {
  const clock = new CountingClock();
  const { database } = await createLevelDatabase(t);
  const { apply } = await openTestStore(database, { clock });
  for (let i = 0; i < 5000; i++) await apply(put(`k${i}`, 'v'));
  const before = clock.turns;
  assert.equal(describeResult(await apply(removeRange(''))), '5002: deleted 5000');
  assert.ok(clock.turns - before >= 19, `others had ${clock.turns - before} turns`);
});

/** Once with everything in memory and once with everything on disk before the next command. */
class CountingClock extends ManualClock {
  turns = 0;

  override afterInput(callback: () => void): void {
    this.turns++;
    super.afterInput(callback);
  }
}

async function check(
  t: TestContext,
  create: (t: TestContext) => Promise<TestDatabase>,
  steps: readonly (readonly [command: string, expected: string])[],
): Promise<void> {
  for (const durable of [false, true]) {
    const { store, apply } = await openTestStore((await create(t)).database);
    for (const [command, expected] of steps) {
      assert.equal(describeResult(await apply(parseCommand(command))), expected, command);
      if (durable) await store.flush();
    }
    await store.close();
  }
}

/** `put k=v`, `delete k`, `deleteRange start-end`, with `previous`, `if <condition>`, `keys:N`, `bytes:N`. */
function parseCommand(text: string): Command {
  const [kind = '', subject = '', ...words] = text.split(' ');
  const previous = words.includes('previous');
  const condition = parseCondition(words[words.indexOf('if') + 1] ?? '');
  const number = (name: string): number =>
    Number(words.find((word) => word.startsWith(name))?.slice(name.length) ?? 100);
  switch (kind) {
    case 'put': {
      const [key = '', value = ''] = subject.split('=');
      return { kind, key: bytes(key), value: bytes(value), condition, previous };
    }
    case 'delete':
      return { kind, key: bytes(subject), condition, previous };
    case 'deleteRange': {
      const [start = '', end = ''] = subject.split('-');
      const range = { start: bytes(start), end: end === '' ? undefined : bytes(end) };
      return { kind, range, keysMax: number('keys:'), bytesMax: number('bytes:') };
    }
    default:
      throw new Error(`what is ${text}?`);
  }
}

function parseCondition(text: string): Condition | undefined {
  if (text === 'exists' || text === 'absent') return { kind: text };
  if (!text.startsWith('mod:')) return undefined;
  return { kind: 'modRevisionIn', revisions: text.slice(4).split(',').filter(Boolean).map(Number) };
}

function describeResult(result: CommandResult): string {
  switch (result.kind) {
    case 'put': {
      const was = result.previous === undefined ? '' : `, was ${describeKv(result.previous)}`;
      return `${result.revision}: ${result.created ? 'created' : 'create'} ${result.createRevision} v${result.version}${was}`;
    }
    case 'delete': {
      const was = result.previous === undefined ? '' : `, was ${describeKv(result.previous)}`;
      return `${result.revision}: deleted ${result.deleted}${was}`;
    }
    case 'conditionFailed':
      return `${result.revision}: failed, ${result.modRevision ?? 'absent'}`;
    case 'refused':
      return `${result.revision}: ${result.refusal} (${result.figures.join(', ')})`;
    case 'done':
      return `${result.revision}: done`;
    default:
      return result.kind;
  }
}

function first(t: TestContext): ReturnType<(typeof databases)[0]['create']> {
  return (databases[0] ?? assert.fail()).create(t);
}
