import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { seededRandom } from '../../base/random.ts';
import { encodeConfigurationData } from '../../raft/configuration-data.ts';
import type { Configuration, ConfigurationEntry, Entry, LogIndex, Snapshot } from '../../raft/types.ts';
import { baseKey, entryKey } from '../log-keys.ts';
import { droppedEntriesMax, type RaftLog } from '../raft-log.ts';
import type { LogStore } from './log-store-suite.ts';
import { bootstrap, commands, picture } from './test-entries.ts';

const groupId = 1;

/** What every storage under the log has to show of a log whose beginning is gone. */
export function logBaseSuite(name: string, create: (t: TestContext) => Promise<LogStore>): void {
  const check = (what: string, run: (store: LogStore) => Promise<void>): void => {
    test(`log over ${name}: ${what}`, async (t) => run(await create(t)));
  };

  check('the oldest entries are dropped, and stay so', async (store) => {
    const { log, database, close } = await store.open({ cacheBytes: 1 });
    await log.persist({ hardState: committed(9), entries: commands(1, 9) });
    await log.persist({ hardState: undefined, entries: commands(10, 10), dropTo: 4 });
    const seen = [log.firstIndex(), log.term(3), log.term(4), log.lastIndex()];
    assert.deepEqual(seen, [5, undefined, 1, 10]);
    assert.throws(() => log.entries(4, 6, 1), /was dropped/);
    assert.deepEqual(
      [await database.get(entryKey(groupId, 4)), log.configurations()],
      [undefined, since(4, bootstrap)],
    );
    await close();
    const again = await store.open();
    assert.deepEqual(picture(again.log), { entries: commands(5, 10), hardState: committed(9), firstIndex: 5 });
    assert.deepEqual(again.log.configurations(), since(4, bootstrap));
    await again.close();
  });

  check('all entries can be dropped, and others follow', async (store) => {
    const { log, close } = await store.open();
    await log.persist({ hardState: committed(3), entries: commands(1, 3) });
    await log.persist({ hardState: undefined, entries: [], dropTo: 3 });
    assert.deepEqual([log.firstIndex(), log.lastIndex(), log.term(3)], [4, 3, 1]);
    await log.persist({ hardState: undefined, entries: commands(4, 5, { term: 2 }) });
    await close();
    const again = await store.open();
    assert.deepEqual(picture(again.log).entries, commands(4, 5, { term: 2 }));
    await again.close();
  });

  check(
    'one batch drops a bounded number of entries, and what is dropped already is not dropped again',
    async (store) => {
      const { log, close } = await store.open();
      const last = droppedEntriesMax + 100;
      await log.persist({ hardState: committed(last), entries: commands(1, last, { bytes: 1 }) });
      for (const firstIndex of [droppedEntriesMax + 1, last - 49, last - 49]) {
        await log.persist({ hardState: undefined, entries: [], dropTo: last - 50 });
        assert.equal(log.firstIndex(), firstIndex);
      }
      await close();
    },
  );

  check(
    'what a batch drops or puts a snapshot in place of is not shown while the batch is on its way',
    async (store) => {
      const { log, close } = await store.open({ cacheBytes: 1 });
      await log.persist({ hardState: committed(5), entries: commands(1, 9) });
      const dropped = log.persist({ hardState: undefined, entries: [], dropTo: 3 });
      assert.deepEqual([log.firstIndex(), log.term(2), log.term(4)], [4, undefined, 1]);
      await dropped;
      const installed = log.persist({ hardState: undefined, entries: [], snapshot: snapshot(20, 3) });
      assert.deepEqual([log.firstIndex(), log.lastIndex(), log.term(5), log.term(20)], [21, 20, undefined, 3]);
      await installed;
      await close();
    },
  );

  check('a snapshot empties the log, ahead of its end or within it, and entries follow', async (store) => {
    for (const index of [6, 9, 5000]) {
      const { log, database, close } = await store.open({ groupId: index });
      await log.persist({ hardState: committed(4), entries: commands(1, 9) });
      await log.persist({
        hardState: { term: 7, vote: undefined, commit: index },
        entries: [],
        snapshot: snapshot(index, 6),
      });
      assert.deepEqual([log.firstIndex(), log.lastIndex(), log.term(index)], [index + 1, index, 6]);
      for (let old = 1; old <= 9; old++) assert.equal(await database.get(entryKey(index, old)), undefined);
      await log.persist({ hardState: undefined, entries: commands(index + 1, index + 2, { term: 7 }) });
      await close();
      const again = await store.open({ groupId: index });
      const entries = commands(index + 1, index + 2, { term: 7 });
      const hardState = { term: 7, vote: undefined, commit: index };
      assert.deepEqual(picture(again.log), { entries, hardState, firstIndex: index + 1 });
      assert.deepEqual(again.log.configurations(), since(index, others));
      await again.close();
    }
  });

  check('a log may begin behind a snapshot from the start', async (store) => {
    const { log, close } = await store.open({ base: snapshot(70, 5) });
    assert.deepEqual([log.firstIndex(), log.lastIndex(), log.term(70)], [71, 70, 5]);
    assert.deepEqual(log.hardState, { term: 5, vote: undefined, commit: 70 });
    await log.persist({ hardState: undefined, entries: commands(71, 72, { term: 6 }) });
    await close();
    const again = await store.open();
    assert.deepEqual(picture(again.log).entries, commands(71, 72, { term: 6 }));
    assert.deepEqual(again.log.configurations(), since(70, others));
    await again.close();
  });

  check('configurations come with their entries, go with them, and the one at the beginning stays', async (store) => {
    const { log, close } = await store.open();
    const voters = (...ids: string[]): Configuration => ({ ...bootstrap, voters: ids });
    const change = (index: LogIndex, ...ids: string[]): Entry => configurationEntry(index, 1, voters(...ids));
    await log.persist({
      hardState: committed(2),
      entries: [change(1, 'a1'), change(2, 'a1', 'b2'), ...commands(3, 3)],
    });
    await log.persist({ hardState: undefined, entries: [change(4, 'c3')] });
    assert.deepEqual(log.configurations().map(shown), ['0 a1,b2,c3', '1 a1', '2 a1,b2', '4 c3']);
    await log.persist({ hardState: undefined, entries: commands(4, 5, { term: 2 }) });
    assert.deepEqual(log.configurations().map(shown), ['0 a1,b2,c3', '1 a1', '2 a1,b2']);
    await log.persist({ hardState: undefined, entries: [], dropTo: 1 });
    await log.persist({ hardState: undefined, entries: [configurationEntry(6, 2, voters('d4'))] });
    assert.deepEqual(log.configurations().map(shown), ['1 a1', '2 a1,b2', '6 d4']);
    await close();
    const again = await store.open();
    assert.deepEqual(again.log.configurations().map(shown), ['1 a1', '2 a1,b2', '6 d4']);
    await again.log.persist({ hardState: undefined, entries: [], snapshot: snapshot(5, 2) });
    assert.deepEqual(again.log.configurations().map(shown), ['5 x1']);
    await again.close();
  });

  check('batches that contradict the beginning of the log are mistakes of the caller', async (store) => {
    const { log, close } = await store.open();
    await log.persist({ hardState: committed(5), entries: commands(1, 9) });
    const refused = async (what: RegExp, batch: Parameters<RaftLog['persist']>[0]): Promise<void> => {
      await assert.rejects(log.persist(batch), { name: 'InvariantViolation', message: what });
    };
    await refused(/ends at 9/, { hardState: undefined, entries: [], dropTo: 10 });
    await refused(/not committed/, { hardState: undefined, entries: [], dropTo: 6 });
    await refused(/behind what is committed/, { hardState: undefined, entries: [], snapshot: snapshot(5, 1) });
    await refused(/nothing to be dropped/, { hardState: undefined, entries: [], dropTo: 1, snapshot: snapshot(9, 1) });
    await refused(/leaves a gap|does not follow/, {
      hardState: undefined,
      entries: commands(12, 12),
      snapshot: snapshot(10, 1),
    });
    assert.deepEqual(picture(log).entries, commands(1, 9), 'nothing was changed');
    await close();
  });

  check('every changed, missing or old record of a log without its first entries is found at open', async (store) => {
    const { log, database: first, close } = await store.open();
    await log.persist({ hardState: committed(6), entries: commands(1, 6) });
    await log.persist({ hardState: undefined, entries: [], dropTo: 2 });
    const old = await first.get(baseKey(groupId));
    await log.persist({ hardState: undefined, entries: commands(7, 7), dropTo: 4 });
    await close();
    const database = await store.openDatabase();
    const records = await database.iterator().all();
    const isFound = async (what: string, key: Buffer, value: Buffer | undefined): Promise<void> => {
      const whole = await database.get(key);
      if (value === undefined) await database.del(key);
      else await database.put(key, value);
      await assert.rejects(store.open({ database }), { name: 'DamagedStorage' }, what);
      if (whole === undefined) await database.del(key);
      else await database.put(key, whole);
    };
    for (const [key, value] of records) {
      await isFound(`${key.toString('hex')} deleted`, key, undefined);
      for (let at = 0; at < value.length; at += 3)
        await isFound(`${key.toString('hex')} byte ${at}`, key, flipped(value, at));
    }
    assert(old !== undefined);
    await isFound('an older beginning', baseKey(groupId), old);
    await isFound('an entry that was dropped', entryKey(groupId, 4), records[2]?.[1]);
    const again = await store.open({ database });
    assert.deepEqual(picture(again.log).entries, commands(5, 7));
    await again.close();
  });

  check('random appends, replacements, drops, snapshots and restarts agree with a plain array', async (store) => {
    const seed = 19;
    const random = seededRandom(seed);
    let model: Model = { base: { index: 0, term: 0 }, entries: [], commit: 0, term: 1 };
    let opened = await store.open();
    for (let step = 0; step < 250; step++) {
      model = await randomStep(opened.log, model, random.below);
      opened.clock.advance(random.below(10));
      if (random.below(12) === 0) {
        await opened.close();
        opened = await store.open({ cacheBytes: random.below(6000) });
      }
      const { log } = opened;
      const { index, term } = model.base;
      const what = `seed ${seed}, step ${step}`;
      assert.deepEqual([log.firstIndex() - 1, log.term(index)], [index, term], what);
      if (step % 10 === 0) assert.deepEqual(picture(log).entries, model.entries, what);
    }
    await opened.close();
  });
}

interface Model {
  readonly base: { readonly index: LogIndex; readonly term: number };
  readonly entries: readonly Entry[];
  readonly commit: LogIndex;
  readonly term: number;
}

async function randomStep(log: RaftLog, model: Model, below: (bound: number) => number): Promise<Model> {
  const { base, entries, commit, term } = model;
  const last = base.index + entries.length;
  if (below(8) === 0) {
    const index = commit + 1 + below(20);
    await log.persist({
      hardState: { term, vote: undefined, commit: index },
      entries: [],
      snapshot: snapshot(index, term),
    });
    return { base: { index, term }, entries: [], commit: index, term };
  }
  const first = Math.max(commit + 1, last + 1 - (below(3) === 0 ? below(8) : 0));
  const nextTerm = first <= last ? term + 1 : term;
  const added = commands(first, first + below(6), { term: nextTerm, bytes: below(300) });
  const nextCommit = Math.min(commit + below(6), first - 1);
  const dropTo =
    below(3) === 0 && nextCommit > base.index ? base.index + 1 + below(nextCommit - base.index) : undefined;
  const hardState = { term: nextTerm, vote: undefined, commit: nextCommit };
  await log.persist({ hardState, entries: added, dropTo });
  const all = [...entries.slice(0, first - base.index - 1), ...added];
  if (dropTo === undefined) return { base, entries: all, commit: nextCommit, term: nextTerm };
  const dropped = all[dropTo - base.index - 1];
  const newBase = { index: dropTo, term: dropped?.term ?? 0 };
  return { base: newBase, entries: all.slice(dropTo - base.index), commit: nextCommit, term: nextTerm };
}

const others: Configuration = { ...bootstrap, voters: ['x1'] };

function snapshot(index: LogIndex, term: number): Snapshot {
  return { index, term, configuration: others };
}

function since(index: LogIndex, configuration: Configuration): readonly ConfigurationEntry[] {
  return [{ index, configuration }];
}

function committed(commit: LogIndex): { term: number; vote: undefined; commit: LogIndex } {
  return { term: 1, vote: undefined, commit };
}

function configurationEntry(index: LogIndex, term: number, configuration: Configuration): Entry {
  return { index, term, type: 'configuration', data: encodeConfigurationData(configuration, Buffer.alloc(0)) };
}

function shown({ index, configuration }: ConfigurationEntry): string {
  return `${index} ${configuration.voters.join(',')}`;
}

function flipped(value: Buffer, at: number): Buffer {
  const copy = Buffer.from(value);
  copy[at] = (copy[at] ?? 0) ^ (1 << (at & 7));
  return copy;
}
