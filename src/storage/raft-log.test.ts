import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { type TestContext, test } from 'node:test';
import { MemoryLevel } from 'memory-level';
import { ManualClock } from '../base/testing/manual-clock.ts';
import type { LogIndex } from '../raft/types.ts';
import type { Database } from './database.ts';
import { openRaftLog } from './open-raft-log.ts';
import { receiptIntervalMs } from './receipt-writer.ts';
import { logBaseSuite } from './testing/log-base-suite.ts';
import { type LogStore, logStoreSuite } from './testing/log-store-suite.ts';
import { MemberDirectory, type OpenedLog } from './testing/member-directory.ts';
import { type MemoryReceipts, memoryReceipts } from './testing/memory-receipts.ts';
import { bootstrap, commands, picture, testOwner } from './testing/test-entries.ts';

logBaseSuite('LevelDB', (t) => MemberDirectory.create(t));
logBaseSuite('memory', async (t) => createMemoryStore(t));
logStoreSuite('LevelDB', (t) => MemberDirectory.create(t));
logStoreSuite('memory', async (t) => createMemoryStore(t));

test('receipts: one that is a batch behind its log is renewed at open', async (t) => {
  const { receipts, open } = createMemoryStore(t);
  const { log } = await open();
  await log.persist({ hardState: undefined, entries: commands(1, 3) });
  const behind = receipts.newest;
  assert.equal(behind?.lastIndex, 3);
  await log.persist({ hardState: undefined, entries: commands(4, 4) });
  // The process dies here: the second receipt was still waiting for its turn.
  assert.equal(receipts.newest, behind);
  const again = await open();
  assert.equal(again.log.lastIndex(), 4);
  assert.equal(receipts.newest?.lastIndex, 4);
});

test('receipts: a term or a vote is promised only when its receipt is durable too, since it outlives the log', async (t) => {
  const { receipts, open } = createMemoryStore(t);
  const { log } = await open();
  await log.persist({ hardState: undefined, entries: commands(1, 1) });
  for (const hardState of [
    { term: 5, vote: undefined, commit: 0 },
    { term: 5, vote: 'b2', commit: 0 },
  ]) {
    const letGo = receipts.hold();
    let isPromised = false;
    const persisted = log.persist({ hardState, entries: [] }).then(() => {
      isPromised = true;
    });
    for (let round = 0; round < 5; round++) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(isPromised, false);
    letGo();
    await persisted;
    assert.deepEqual([receipts.newest?.term, receipts.newest?.vote], [5, hardState.vote]);
  }
});

test('receipts: a log whose receipt is ahead has lost what it acknowledged', async (t) => {
  const { receipts, open } = createMemoryStore(t);
  const { log } = await open();
  await log.persist({ hardState: { term: 4, vote: 'a1', commit: 0 }, entries: commands(1, 3, { term: 4 }) });
  const receipt = receipts.newest;
  assert(receipt !== undefined);
  receipts.newest = { ...receipt, sequence: receipt.sequence + 1, lastIndex: 5 };
  await assert.rejects(open(), {
    name: 'DamagedStorage',
    message: /ends at batch 2 and index 3.* the entries 4 to 5 are missing/,
  });
  receipts.newest = { ...receipt, sequence: receipt.sequence + 1, term: 5 };
  await assert.rejects(open(), { name: 'DamagedStorage', message: /a vote, a term or replaced entries are missing/ });
});

test('receipts: one that is as new as the log and says something else is damage', async (t) => {
  const { receipts, open } = createMemoryStore(t);
  const { log } = await open();
  await log.persist({ hardState: { term: 4, vote: 'a1', commit: 0 }, entries: commands(1, 3, { term: 4 }) });
  const receipt = receipts.newest;
  assert(receipt !== undefined);
  for (const other of [{ vote: undefined }, { term: 3 }, { lastIndex: 2 }, { lastTerm: 3 }, { chain: 1 }]) {
    receipts.newest = { ...receipt, ...other };
    await assert.rejects(open(), { name: 'DamagedStorage', message: /contradict each other/ }, JSON.stringify(other));
  }
  receipts.newest = { ...receipt, sequence: receipt.sequence - 1, term: 5 };
  await assert.rejects(open(), { name: 'DamagedStorage', message: /its receipt is of term 5/ });
  receipts.newest = { ...receipt, memberId: 'b2' };
  await assert.rejects(open(), { name: 'StorageRefused', message: /The receipt belongs to member b2/ });
});

test('receipts: without one only a log without a second batch opens', async (t) => {
  const { receipts, open } = createMemoryStore(t);
  // The machine stopped between the first batch and the first receipt.
  await open();
  receipts.newest = undefined;
  const { log } = await open();
  await log.persist({ hardState: { term: 1, vote: 'a1', commit: 0 }, entries: [] });
  receipts.newest = undefined;
  await assert.rejects(open(), {
    name: 'DamagedStorage',
    message: /receipt is missing although the log has 2 batches/,
  });
});

test('receipts: a refused log is left exactly as it was', async (t) => {
  const { database, receipts, open } = createMemoryStore(t);
  const { log } = await open();
  await log.persist({ hardState: undefined, entries: commands(1, 3) });
  const before = await database.iterator().all();
  const ahead = { ...receipts.newest, sequence: 99 } as typeof receipts.newest;
  receipts.newest = ahead;
  await assert.rejects(open(), { name: 'DamagedStorage' });
  assert.equal(receipts.newest, ahead);
  assert.deepEqual(await database.iterator().all(), before);
});

test('fail-stop: after one rejected write nothing is written, and everything is told the first cause', async (t) => {
  const { database, receipts, open } = createMemoryStore(t);
  const { log } = await open();
  await log.persist({ hardState: undefined, entries: commands(1, 3) });
  const before = await database.iterator().all();
  database.failure = new Error('no space left');
  const attempts = await Promise.allSettled([log.persist({ hardState: undefined, entries: commands(4, 4) })]);
  database.failure = undefined;
  for (let attempt = 0; attempt < 100; attempt++) {
    attempts.push(...(await Promise.allSettled([log.persist({ hardState: undefined, entries: commands(4, 4) })])));
  }
  const reasons = attempts.map((attempt) => (attempt.status === 'rejected' ? attempt.reason : 'acknowledged'));
  assert.equal(new Set(reasons).size, 1);
  assert.equal(reasons[0].name, 'StorageWriteFailed');
  assert.match(reasons[0].message, /The log could not be written \(no space left\).*has to stop/);
  assert.deepEqual(await database.iterator().all(), before);
  await assert.rejects(log.close(), reasons[0]);
  assert.equal(receipts.newest?.lastIndex, 3);
});

test('fail-stop: a receipt that cannot be written stops the log too', async (t) => {
  const { receipts, open } = createMemoryStore(t);
  const { log, clock } = await open();
  clock.advance(receiptIntervalMs);
  receipts.failNextWrite(new Error('input/output error'));
  await log.persist({ hardState: undefined, entries: commands(1, 1) });
  await new Promise((resolve) => setImmediate(resolve));
  const stopped = { name: 'StorageWriteFailed', message: /The receipt could not be written \(input\/output error\)/ };
  await assert.rejects(log.persist({ hardState: undefined, entries: commands(2, 2) }), stopped);
  await assert.rejects(log.close(), stopped);
});

test('fail-stop: a batch that becomes durable after a receipt has failed is not acknowledged', async (t) => {
  const { database, receipts, open } = createMemoryStore(t);
  const { log, clock } = await open();
  clock.advance(receiptIntervalMs);
  const failReceipt = receipts.hold();
  await log.persist({ hardState: undefined, entries: commands(1, 1) });
  const letGo = database.hold();
  const second = log.persist({ hardState: undefined, entries: commands(2, 2) });
  receipts.failNextWrite(new Error('input/output error'));
  failReceipt();
  await new Promise((resolve) => setImmediate(resolve));
  letGo();
  await assert.rejects(second, { name: 'StorageWriteFailed', message: /The receipt could not be written/ });
  assert.equal(log.lastIndex(), 1);
});

test('fail-stop: a log that cannot be made is not half there', async (t) => {
  const { database, receipts, open } = createMemoryStore(t);
  database.failure = new Error('no space left');
  await assert.rejects(open(), { name: 'StorageWriteFailed' });
  database.failure = undefined;
  receipts.failNextWrite(new Error('no space left'));
  await assert.rejects(open(), { name: 'StorageWriteFailed' });
  assert.equal((await open()).log.lastIndex(), 0);
});

test('every batch is written with a sync', async (t) => {
  const { database, open } = createMemoryStore(t);
  const { log } = await open();
  await log.persist({ hardState: { term: 1, vote: 'a1', commit: 0 }, entries: [] });
  await log.persist({ hardState: undefined, entries: commands(1, 3) });
  assert.deepEqual(database.syncs, [true, true, true]);
});

test('close: waits for the batch on its way and leaves an up-to-date receipt', async (t) => {
  const { database, receipts, open } = createMemoryStore(t);
  const { log } = await open();
  await log.persist({ hardState: undefined, entries: commands(1, 1) });
  const letGo = database.hold();
  const last = log.persist({ hardState: undefined, entries: commands(2, 2) });
  let isClosed = false;
  const closed = log.close().then(() => {
    isClosed = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isClosed, false);
  letGo();
  await last;
  await closed;
  assert.equal(receipts.newest?.lastIndex, 2);
  await assert.rejects(log.persist({ hardState: undefined, entries: commands(3, 3) }), { name: 'InvariantViolation' });
});

test('a crash in the middle of a replacing batch leaves the old entries or the new ones', async (t) => {
  const directory = await MemberDirectory.create(t);
  const { log, close } = await directory.open();
  await log.persist({ hardState: undefined, entries: commands(1, 9) });
  const replaced = log.persist({ hardState: undefined, entries: commands(4, 6, { term: 2 }) });
  // What a machine that stops now has on its disk.
  const crashed = await directory.copy(t);
  await replaced;
  await close();
  const again = await crashed.open();
  const found = picture(again.log).entries;
  assert.deepEqual(found, found.length === 9 ? commands(1, 9) : [...commands(1, 3), ...commands(4, 6, { term: 2 })]);
  await again.close();
});

test('a crash in the middle of a snapshot leaves all of the old log or the beginning of the new one', async (t) => {
  const directory = await MemberDirectory.create(t);
  const { log, close } = await directory.open();
  await log.persist({ hardState: undefined, entries: commands(1, 40) });
  const journal = await directory.file('.log');
  const before = await readFile(journal);
  const receipts = await readFile(directory.receipt);
  const snapshot = { index: 60, term: 3, configuration: bootstrap };
  await log.persist({ hardState: { term: 3, vote: undefined, commit: 60 }, entries: [], snapshot });
  const after = await readFile(journal);
  const running = await directory.copy(t);
  await close();
  const crashed = await running.copy(t);
  const begins: LogIndex[] = [];
  for (let length = before.length; length <= after.length; length += length + 40 > after.length ? 1 : 40) {
    await crashed.restore(running);
    await writeFile(await crashed.file('.log'), after.subarray(0, length));
    await writeFile(crashed.receipt, receipts);
    const again = await crashed.open();
    begins.push(again.log.firstIndex());
    if (again.log.firstIndex() === 1) assert.deepEqual(picture(again.log).entries, commands(1, 40));
    else assert.deepEqual([again.log.firstIndex(), again.log.lastIndex(), again.log.term(60)], [61, 60, 3]);
    await again.close();
  }
  assert.deepEqual([begins[0], begins.at(-1)], [1, 61]);
});

/** Fails on demand, as a disk does. */
class FailingLevel extends MemoryLevel<Buffer, Buffer> {
  failure: Error | undefined;
  /** The option `sync` of every batch. */
  readonly syncs: unknown[] = [];
  #held: Promise<void> | undefined;

  constructor() {
    super({ keyEncoding: 'buffer', valueEncoding: 'buffer' });
  }

  /** Batches wait from now on, as on a slow disk; the returned function lets them go. */
  hold(): () => void {
    let letGo = (): void => undefined;
    this.#held = new Promise((resolve) => {
      letGo = resolve;
    });
    return () => letGo();
  }

  // abstract-level's private API: what every batch goes through.
  async _batch(operations: unknown, options: { readonly sync?: boolean }): Promise<void> {
    this.syncs.push(options.sync);
    await this.#held;
    if (this.failure !== undefined) throw this.failure;
    const parent: Pick<FailingLevel, '_batch'> = Object.getPrototypeOf(FailingLevel.prototype);
    await parent._batch.call(this, operations, options);
  }
}

interface MemoryStore extends LogStore {
  readonly database: FailingLevel;
  readonly receipts: MemoryReceipts;
}

function createMemoryStore(t: TestContext): MemoryStore {
  const database = new FailingLevel();
  t.after(() => database.close());
  const receipts = new Map<number, MemoryReceipts>([[1, memoryReceipts()]]);
  const openDatabase = async (): Promise<Database> => database;
  const open: LogStore['open'] = async (overrides = {}): Promise<OpenedLog> => {
    const clock = new ManualClock();
    const { groupId = 1 } = overrides;
    const ofGroup = receipts.get(groupId) ?? memoryReceipts();
    receipts.set(groupId, ofGroup);
    const log = await openRaftLog({ ...testOwner, receipts: ofGroup.open(), clock, ...overrides, database });
    return { log, database, clock, close: () => log.close() };
  };
  return { database, receipts: receipts.get(1) ?? memoryReceipts(), openDatabase, open };
}
