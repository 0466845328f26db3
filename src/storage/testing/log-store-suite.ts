import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { seededRandom } from '../../base/random.ts';
import type { Entry, LogIndex } from '../../raft/types.ts';
import type { Database } from '../database.ts';
import { entryKey, headerKey } from '../log-keys.ts';
import { chainAfter, decodeChainedEntry, encodeChainedEntry, encodeHeader } from '../log-records.ts';
import type { RaftLogOptions } from '../raft-log.ts';
import type { OpenedLog } from './member-directory.ts';
import { bootstrap, commands, picture, testOwner } from './test-entries.ts';

/** One member's storage; what was written through an opening is there in the next. */
export interface LogStore {
  /** Only the database, to look into it and to damage it; open it for as long as the store is not otherwise open. */
  openDatabase(): Promise<Database>;
  open(overrides?: Partial<RaftLogOptions>): Promise<OpenedLog>;
}

const groupId = 1;
const everything = Number.MAX_SAFE_INTEGER;

/** What every storage under the log has to show. */
export function logStoreSuite(name: string, create: (t: TestContext) => Promise<LogStore>): void {
  const check = (what: string, run: (store: LogStore) => Promise<void>): void => {
    test(`log over ${name}: ${what}`, async (t) => run(await create(t)));
  };

  check('a new one is empty and knows its first configuration', async (store) => {
    const { log, close } = await store.open();
    assert.deepEqual([log.firstIndex(), log.lastIndex(), log.term(0), log.term(1)], [1, 0, 0, undefined]);
    assert.deepEqual(log.entries(1, 10, everything), []);
    assert.deepEqual(log.hardState, { term: 0, vote: undefined, commit: 0 });
    assert.deepEqual(log.configurations(), [{ index: 0, configuration: bootstrap }]);
    await close();
  });

  check('the first configuration is the one it was created with, whatever is asked for later', async (store) => {
    await (await store.open()).close();
    const { log, close } = await store.open({ bootstrap: { ...bootstrap, voters: ['zz'] } });
    assert.deepEqual(log.configurations(), [{ index: 0, configuration: bootstrap }]);
    await close();
  });

  check('entries and hard state of one batch come back after a restart', async (store) => {
    const { log, close } = await store.open();
    const hardState = { term: 3, vote: 'b2', commit: 1 };
    await log.persist({ hardState, entries: commands(1, 3, { term: 3 }) });
    await close();
    const again = await store.open();
    assert.deepEqual(picture(again.log), { entries: commands(1, 3, { term: 3 }), hardState, firstIndex: 1 });
    await again.close();
  });

  check('a batch may hold only a hard state', async (store) => {
    const { log, close } = await store.open();
    await log.persist({ hardState: { term: 1, vote: undefined, commit: 0 }, entries: [] });
    await log.persist({ hardState: { term: 1, vote: 'a1', commit: 0 }, entries: [] });
    await close();
    const again = await store.open();
    assert.deepEqual(again.log.hardState, { term: 1, vote: 'a1', commit: 0 });
    await again.close();
  });

  check('a batch is not shown before it is durable', async (store) => {
    const { log, close } = await store.open();
    const persisted = log.persist({ hardState: undefined, entries: commands(1, 3) });
    assert.equal(log.lastIndex(), 0);
    await persisted;
    assert.equal(log.lastIndex(), 3);
    await close();
  });

  check('entries: as many as fit, at least one, and a bounded number from disk', async (store) => {
    const { log, close } = await store.open({ cacheBytes: 1 });
    await log.persist({ hardState: undefined, entries: commands(1, 300, { bytes: 100 }) });
    const indexes = (low: LogIndex, high: LogIndex, bytesMax: number): string => {
      const found = log.entries(low, high, bytesMax).map(({ index }) => index);
      return `${found[0]}-${found.at(-1)}`;
    };
    assert.equal(indexes(1, 301, 1), '1-1');
    assert.equal(indexes(5, 301, 250), '5-6');
    assert.equal(indexes(5, 301, 300), '5-7');
    assert.equal(indexes(5, 7, everything), '5-6');
    assert.equal(indexes(1, 301, everything), '1-128');
    assert.equal(indexes(299, 400, everything), '299-300');
    assert.deepEqual(log.entries(301, 400, everything), []);
    await close();
  });

  check('a conflicting suffix is replaced by a shorter and by a longer one', async (store) => {
    for (const cacheBytes of [1, 1e6]) {
      const { log, database, close } = await store.open({ cacheBytes, groupId: cacheBytes });
      await log.persist({ hardState: undefined, entries: commands(1, 9) });
      await log.persist({ hardState: undefined, entries: commands(4, 5, { term: 2 }) });
      const shorter = [...commands(1, 3), ...commands(4, 5, { term: 2 })];
      assert.deepEqual(picture(log).entries, shorter);
      assert.equal(await database.get(entryKey(cacheBytes, 6)), undefined);
      await log.persist({ hardState: undefined, entries: commands(1, 20, { term: 3 }) });
      await close();
      const again = await store.open({ cacheBytes, groupId: cacheBytes });
      assert.deepEqual(picture(again.log).entries, commands(1, 20, { term: 3 }));
      await again.close();
    }
  });

  check('a replaced suffix is not shown while its replacement is on the way', async (store) => {
    const { log, close } = await store.open({ cacheBytes: 1 });
    await log.persist({ hardState: undefined, entries: commands(1, 9) });
    const persisted = log.persist({ hardState: undefined, entries: commands(4, 5, { term: 2 }) });
    assert.deepEqual([log.lastIndex(), log.term(3), log.term(4)], [3, 1, undefined]);
    await persisted;
    assert.deepEqual([log.lastIndex(), log.term(4), log.term(6)], [5, 2, undefined]);
    await close();
  });

  check('random appends, replacements and restarts agree with a plain array', async (store) => {
    const seed = 7;
    const random = seededRandom(seed);
    let expected: Entry[] = [];
    let term = 1;
    let opened = await store.open();
    for (let step = 0; step < 120; step++) {
      const first = Math.max(1, expected.length + 1 - (random.below(3) === 0 ? random.below(8) : 0));
      if (first <= expected.length) term++;
      const entries = commands(first, first + random.below(6), { term, bytes: random.below(900) });
      await opened.log.persist({ hardState: { term, vote: undefined, commit: 0 }, entries });
      expected = [...expected.slice(0, first - 1), ...entries];
      opened.clock.advance(random.below(10));
      if (random.below(12) === 0) {
        await opened.close();
        opened = await store.open({ cacheBytes: random.below(10_000) });
      }
      assert.equal(opened.log.lastIndex(), expected.length, `seed ${seed}, step ${step}`);
      assert.equal(opened.log.term(first), term, `seed ${seed}, step ${step}`);
    }
    assert.deepEqual(picture(opened.log).entries, expected, `seed ${seed}`);
    await opened.close();
  });

  check('batches that contradict the log are mistakes of the caller', async (store) => {
    const { log, close } = await store.open();
    await log.persist({ hardState: { term: 2, vote: 'a1', commit: 2 }, entries: commands(1, 3, { term: 2 }) });
    const refused = async (what: RegExp, batch: Parameters<typeof log.persist>[0]): Promise<void> => {
      await assert.rejects(log.persist(batch), { name: 'InvariantViolation', message: what });
    };
    await refused(/leaves a gap/, { hardState: undefined, entries: commands(5, 6, { term: 2 }) });
    await refused(/does not follow/, {
      hardState: undefined,
      entries: [...commands(4, 4), ...commands(6, 6)].map((e) => ({ ...e, term: 2 })),
    });
    await refused(/has the term 1/, { hardState: undefined, entries: commands(4, 4, { term: 1 }) });
    await refused(/is committed/, { hardState: undefined, entries: commands(2, 4, { term: 3 }) });
    await refused(/before the log/, { hardState: undefined, entries: commands(0, 4, { term: 3 }) });
    await refused(/second vote/, { hardState: { term: 2, vote: 'b2', commit: 2 }, entries: [] });
    await refused(/go back/, { hardState: { term: 1, vote: undefined, commit: 2 }, entries: [] });
    const first = log.persist({ hardState: undefined, entries: commands(4, 4, { term: 2 }) });
    await refused(/another one is on its way/, { hardState: undefined, entries: commands(4, 4, { term: 2 }) });
    await first;
    assert.deepEqual(picture(log).entries, commands(1, 4, { term: 2 }));
    await close();
  });

  check('a log of another cluster, member or format is refused', async (store) => {
    const { log, close } = await store.open();
    await log.persist({ hardState: undefined, entries: commands(1, 3) });
    await close();
    for (const other of [{ clusterId: 'beef' }, { memberId: 'b2' }]) {
      await assert.rejects(store.open(other), {
        name: 'StorageRefused',
        message: /belongs to member a1 of cluster cafe/,
      });
    }
    const again = await store.open();
    assert.equal(again.log.lastIndex(), 3);
    await again.close();
  });

  check('every changed, missing, swapped or old record is found at open', async (store) => {
    const { log, database: first, close } = await store.open();
    await log.persist({ hardState: { term: 1, vote: 'a1', commit: 0 }, entries: commands(1, 4) });
    const old = await contentOf(first);
    await log.persist({ hardState: undefined, entries: commands(3, 3, { term: 2 }) });
    await log.persist({ hardState: undefined, entries: commands(4, 5, { term: 3 }) });
    const whole = await contentOf(first);
    await close();
    const database = await store.openDatabase();
    const isFound = async (what: string, change: () => Promise<void>): Promise<void> => {
      await change();
      await assert.rejects(store.open({ database }), { name: 'DamagedStorage' }, what);
      await restore(database, whole);
    };
    for (const [name, value] of whole) {
      const key = Buffer.from(name, 'hex');
      await isFound(`${name} deleted`, () => database.del(key));
      for (let at = 0; at < value.length; at += 3) {
        await isFound(`${name} byte ${at}`, () => database.put(key, flipped(value, at * 8 + (at % 8))));
      }
    }
    for (const [name, value] of old) {
      if (whole.get(name)?.equals(value)) continue;
      await isFound(`an old version of ${name}`, () => database.put(Buffer.from(name, 'hex'), value));
    }
    const fourth = whole.get(entryKey(groupId, 4).toString('hex')) ?? Buffer.alloc(0);
    await isFound('entry 4 in the place of entry 3', () => database.put(entryKey(groupId, 3), fourth));
    const before = decodeChainedEntry(whole.get(entryKey(groupId, 4).toString('hex')) ?? Buffer.alloc(0));
    const [other] = commands(5, 5, { term: 3, bytes: 17 });
    assert(before !== undefined && other !== undefined);
    const lookalike = encodeChainedEntry({ entry: other, chain: chainAfter(before.chain, other) });
    await isFound('another last entry with a chain that fits', () => database.put(entryKey(groupId, 5), lookalike));
    const foreign = encodeHeader({ ...testOwner, groupId: 2, bootstrap });
    await isFound('the header of another group', () => database.put(headerKey(groupId), foreign));
    await isFound('an entry behind the end', () => database.put(entryKey(groupId, 6), fourth));
    await isFound('a record of no kind', () => database.put(Buffer.from('0000000177', 'hex'), fourth));
    await isFound('the whole log rolled back', () => restore(database, old));
    await isFound('the whole log gone', () => restore(database, new Map()));
    const again = await store.open({ database });
    assert.equal(again.log.lastIndex(), 5);
    await again.close();
  });

  check('what is damaged under an open log is found by reading it, and stops the log', async (store) => {
    const { log, database, close } = await store.open({ cacheBytes: 1 });
    await log.persist({ hardState: undefined, entries: commands(1, 9) });
    // Intact, at its place and of the right term: only the chain tells that it is not the one that was written.
    const [other] = commands(3, 3, { bytes: 17 });
    assert(other !== undefined);
    await database.put(entryKey(groupId, 3), encodeChainedEntry({ entry: other, chain: 0 }));
    assert.throws(() => log.entries(3, 4, 1), { name: 'DamagedStorage', message: /Entry 3 does not follow/ });
    assert.throws(() => log.entries(4, 5, 1), { name: 'DamagedStorage' });
    await assert.rejects(log.persist({ hardState: undefined, entries: commands(10, 10) }), { name: 'DamagedStorage' });
    await database.put(entryKey(groupId, 3), Buffer.alloc(10));
    assert.throws(() => log.term(3), { name: 'DamagedStorage' });
    await database.del(entryKey(groupId, 3));
    assert.throws(() => log.term(3), { name: 'DamagedStorage' });
    await assert.rejects(close(), { name: 'DamagedStorage' });
  });

  check('the message of a damaged log names what is missing and what to do', async (store) => {
    const { log, database, close } = await store.open();
    await log.persist({ hardState: undefined, entries: commands(1, 200) });
    for (let index = 68; index <= 95; index++) await database.del(entryKey(groupId, index));
    for (const index of [130, 199, 200]) await database.del(entryKey(groupId, index));
    await close();
    await assert.rejects(store.open(), {
      what: 'Entries are missing: 68 to 95, 130, 199 to 200 (31 in all).',
      message:
        /acknowledged may be gone.*Nothing was repaired or deleted.*replace this member.*restored from a backup/s,
    });
  });

  check('groups in one database do not see each other', async (store) => {
    const one = await store.open();
    await one.log.persist({ hardState: undefined, entries: commands(1, 3) });
    const two = await store.open({ groupId: 2, database: one.database });
    assert.equal(two.log.lastIndex(), 0);
    await two.log.persist({ hardState: undefined, entries: commands(1, 1, { term: 5 }) });
    await two.close();
    await one.close();
    const again = await store.open();
    assert.deepEqual(picture(again.log).entries, commands(1, 3));
    await again.close();
  });
}

/** Every record, by its key in hexadecimal. */
async function contentOf(database: Database): Promise<Map<string, Buffer>> {
  const records = await database.iterator().all();
  return new Map(records.map(([key, value]) => [key.toString('hex'), Buffer.from(value)]));
}

async function restore(database: Database, content: ReadonlyMap<string, Buffer>): Promise<void> {
  await database.clear();
  await database.batch([...content].map(([name, value]) => ({ type: 'put', key: Buffer.from(name, 'hex'), value })));
}

function flipped(value: Buffer, bit: number): Buffer {
  const copy = Buffer.from(value);
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return copy;
}
