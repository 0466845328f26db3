import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../base/random.ts';
import { type Command, encodeCommand } from './command.ts';
import { databases, dumpDatabase, type TestDatabase } from './testing/databases.ts';
import { NaiveStore } from './testing/naive-store.ts';
import { randomEntry } from './testing/random-commands.ts';
import { describeStore, openTestStore, type TestStore } from './testing/test-store.ts';

interface History {
  readonly log: (readonly Command[])[];
  /** After each entry, and before the first. */
  readonly states: unknown[];
}

for (const { name, create } of databases) {
  for (const seed of [1, 2, 3, 4]) {
    test(`store: ${name}: random commands, flushes, reopens and crashes agree with a naive store: seed ${seed}`, async (t) => {
      const random = seededRandom(seed);
      const disk = await create(t);
      const { database } = disk;
      const naive = new NaiveStore();
      const history: History = { log: [], states: [naive.describe()] };
      let opened = await openTestStore(database, { flushChangesMax: 20 });

      for (let step = 0; step < 400; step++) {
        const commands = random.below(20) === 0 ? [] : randomEntry(random, naive.revision);
        history.log.push(commands);
        const results = await applyNext(opened, commands);
        const expected = commands.map((command) => naive.apply(command));
        assert.deepEqual(plain(results), plain(expected), `step ${step}`);
        history.states.push(naive.describe());

        const fate = random.below(24);
        if (fate === 0) await opened.store.flush();
        if (fate === 1) opened.clock.advance(50);
        if (fate === 2) {
          await opened.store.close();
          opened = await openTestStore(database, { flushChangesMax: 20 });
          assert.equal(opened.store.appliedIndex, history.log.length);
        }
        if (fate === 3) opened = await crash(opened, disk, history);
        if (fate < 4) assert.deepEqual(await describeStore(opened.store), naive.describe(), `step ${step}`);
      }
      assert.deepEqual(await describeStore(opened.store), naive.describe());
      assert.equal(opened.store.openViews, 0);
      await opened.store.close();
    });
  }
}

test('store: twins that flush and reopen at different times end with the same bytes on disk', async (t) => {
  const seed = 77;
  const [alwaysDurable, rarelyDurable] = await Promise.all(databases.map(({ create }) => create(t)));
  assert(alwaysDurable !== undefined && rarelyDurable !== undefined);
  const random = seededRandom(seed);
  const one = await openTestStore(alwaysDurable.database, { flushChangesMax: 1 });
  let other = await openTestStore(rarelyDurable.database);

  for (let step = 0; step < 300; step++) {
    const commands = randomEntry(random, one.store.revision);
    assert.deepEqual(
      plain(await applyNext(one, commands)),
      plain(await applyNext(other, commands)),
      `seed ${seed}, step ${step}`,
    );
    await one.store.flush();
    if (random.below(100) === 0) {
      await other.store.close();
      other = await openTestStore(rarelyDurable.database);
    }
  }
  await Promise.all([one.store.close(), other.store.close()]);
  assert.deepEqual(
    await dumpDatabase(alwaysDurable.database),
    await dumpDatabase(rarelyDurable.database),
    `seed ${seed}`,
  );
});

async function applyNext({ store }: TestStore, commands: readonly Command[]): Promise<unknown> {
  const index = store.appliedIndex + 1;
  if (commands.length > 0) return store.apply(index, Buffer.concat(commands.map(encodeCommand)), { term: 1 });
  store.apply(index, undefined);
  return [];
}

/**
 * The process is gone with all that was only in memory; a batch that was being written is in LevelDB or not, but never
 * in part. LevelDB holds the state after some entry, and the log from there on leads to where the store was.
 */
async function crash(before: TestStore, disk: TestDatabase, history: History): Promise<TestStore> {
  await disk.reopen();
  const after = await openTestStore(disk.database, { flushChangesMax: 20 });
  const durable = after.store.appliedIndex;
  assert(durable >= before.store.durableIndex && durable <= before.store.appliedIndex);
  assert.deepEqual(await describeStore(after.store), history.states[durable]);
  for (const commands of history.log.slice(durable)) await applyNext(after, commands);
  return after;
}

/** Buffers and Uint8Arrays alike. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value ?? null, (_, part) =>
      part?.type === 'Buffer' || part instanceof Uint8Array ? Buffer.from(part.data ?? part).toString('hex') : part,
    ),
  );
}
