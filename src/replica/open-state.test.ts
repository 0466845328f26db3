import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ManualClock } from '../base/testing/manual-clock.ts';
import { encodeCommand } from '../mvcc/index.ts';
import type { Entry } from '../raft/index.ts';
import { DamagedStorage, directoryFiles, setAside } from '../storage/index.ts';
import { openState, type State } from './open-state.ts';

test('open state: a whole log is opened as it was, and nobody is suspect', async () => {
  await using directory = new Directory();
  await directory.with(write(3));
  await directory.with(async ({ log, store }) => {
    assert.deepEqual([log.lastIndex(), log.hardState.suspectTerm, store.appliedIndex], [3, undefined, 3]);
  });
  assert.deepEqual(directory.aside(), []);
});

test('open state: a damaged log is set aside whole; an empty one of a suspect, in its last term, and an empty store begin', async () => {
  await using directory = new Directory();
  await directory.with(write(3));
  directory.breakFile('log/CURRENT');
  for (let start = 0; start < 2; start++) {
    await directory.with(async ({ log, store }) => {
      const hardState = { term: 4, vote: undefined, commit: 0, suspectTerm: 4 };
      assert.deepEqual([log.lastIndex(), log.hardState, store.appliedIndex], [0, hardState, 0]);
    });
  }
  assert.deepEqual(directory.aside(), ['data.damaged-1', 'log.damaged-1']);
});

test('open state: a start that was cut off after it had set the log aside begins anew', async () => {
  await using directory = new Directory();
  await directory.with(write(3));
  await setAside(join(directory.path, 'log'));
  await directory.with(async ({ log }) => assert.equal(log.hardState.suspectTerm, 4));
});

test('open state: receipts that are damaged or missing beside a whole log make a suspect that keeps its log', async () => {
  for (const lose of [(d: Directory) => d.breakFile('receipt'), (d: Directory) => rmSync(join(d.path, 'receipt'))]) {
    await using directory = new Directory();
    await directory.with(write(3));
    lose(directory);
    await directory.with(async ({ log, store }) => {
      assert.deepEqual([log.lastIndex(), log.hardState.suspectTerm, store.appliedIndex], [3, 4, 3]);
    });
  }
});

test('open state: log and receipts damaged at once: nobody knows which term it voted in, so it refuses', async () => {
  await using directory = new Directory();
  await directory.with(write(3));
  directory.breakFile('log/CURRENT');
  directory.breakFile('receipt');
  await assert.rejects(directory.with(write(0)), /receipts are (damaged|missing) as well.*replace this member/);
});

test('open state: a group of one voter has nobody to heal it, and refuses', async () => {
  await using directory = new Directory(['1']);
  await directory.with(write(3));
  directory.breakFile('log/CURRENT');
  await assert.rejects(directory.with(write(0)), DamagedStorage);
  assert.deepEqual(directory.aside(), [], 'nothing was touched');
});

test('open state: a damaged store is built again from the log, also by a group of one voter', async () => {
  for (const voters of [['1'], ['1', '2', '3']]) {
    await using directory = new Directory(voters);
    await directory.with(write(3));
    directory.breakFile('data/CURRENT');
    await directory.with(async ({ log, store }) => {
      assert.deepEqual([log.lastIndex(), log.hardState.suspectTerm, store.appliedIndex], [3, undefined, 0]);
      for (const entry of log.entries(1, 4, 1e6)) await store.apply(entry.index, entry.data, entry);
      assert.equal(store.keyCount, 3);
    });
    assert.deepEqual(directory.aside(), ['data.damaged-1']);
  }
});

/** So many entries of term 4, durable and applied. */
function write(count: number): (state: State) => Promise<void> {
  return async ({ log, store }) => {
    const entries = Array.from({ length: count }, (_, i): Entry => {
      const put = {
        kind: 'put',
        key: Buffer.from(`k${i}`),
        value: Buffer.from('v'),
        condition: undefined,
        previous: false,
      } as const;
      return { index: i + 1, term: 4, type: 'command', data: encodeCommand(put) };
    });
    await log.persist({ hardState: { term: 4, vote: '2', commit: count }, entries });
    for (const entry of entries) await store.apply(entry.index, entry.data, entry);
  };
}

/** A member's real directory. */
class Directory implements AsyncDisposable {
  readonly path = mkdtempSync(join(tmpdir(), 'balsa-state-'));
  readonly #voters: readonly string[];

  constructor(voters: readonly string[] = ['1', '2', '3']) {
    this.#voters = voters;
  }

  /** Opens it, does something, and closes it. */
  async with(work: (state: State) => Promise<void>): Promise<void> {
    const state = await openState({
      groupId: 1,
      clusterId: 'c1',
      memberId: '1',
      files: directoryFiles(this.path),
      clock: new ManualClock(),
      bootstrap: { voters: this.#voters, votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false },
      bootstrapMembers: [],
      logCacheBytes: 1000,
      flushIntervalMs: 50,
      flushChangesMax: 100,
      flushBytesMax: 1e6,
      logger: { info: () => undefined, warn: () => undefined },
    });
    await work(state);
    await state.close();
  }

  breakFile(name: string): void {
    writeFileSync(join(this.path, name), 'not what was written');
  }

  aside(): string[] {
    return readdirSync(this.path)
      .filter((name) => name.includes('.damaged-'))
      .sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    rmSync(this.path, { recursive: true, force: true });
  }
}
