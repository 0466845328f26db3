import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ManualClock } from '../base/testing/manual-clock.ts';
import { type Command, encodeCommand } from '../mvcc/index.ts';
import type { Entry } from '../raft/index.ts';
import { DamagedStorage, directoryFiles, setAside } from '../storage/index.ts';
import { openState, type State } from './open-state.ts';
import { puts, snapshotOfPuts } from './testing/snapshot-source.ts';

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

test('open state: a store that is lost behind a log whose beginning is dropped: the member begins anew, as if its log were lost', async () => {
  for (const lose of [
    (d: Directory) => d.breakFile('data/CURRENT'),
    (d: Directory) => rmSync(join(d.path, 'data'), { recursive: true }),
  ]) {
    await using directory = new Directory();
    await directory.with(write(6));
    await directory.with(({ log }) => log.persist({ hardState: undefined, entries: [], dropTo: 4 }));
    lose(directory);
    for (let start = 0; start < 2; start++) {
      await directory.with(async ({ log, store }) => {
        const hardState = { term: 4, vote: undefined, commit: 0, suspectTerm: 4 };
        assert.deepEqual([log.firstIndex(), log.hardState, store.appliedIndex], [1, hardState, 0]);
      });
    }
    assert.deepEqual(directory.aside(), ['data.damaged-1', 'log.damaged-1']);
  }
});

test('open state: the only voter refuses to start without the store that its log cannot build, and names backups', async () => {
  await using directory = new Directory(['1']);
  await directory.with(write(6));
  await directory.with(({ log }) => log.persist({ hardState: undefined, entries: [], dropTo: 4 }));
  directory.breakFile('data/CURRENT');
  await assert.rejects(directory.with(write(0)), /only voter.*restore a backup/s);
  assert.deepEqual(directory.aside(), [], 'nothing was touched');
});

test('open state: whether there are others who have what was lost the members say, not the first configuration', async () => {
  const joiner = { id: '2', name: '', peerUrls: [], clientUrls: [], version: '' };
  const change = (...commands: Command[]): Entry[] =>
    commands.map((command, i) => ({ index: i + 1, term: 4, type: 'command', data: encodeCommand(command) }));
  const add: Command = { kind: 'memberAdd', member: { ...joiner, promote: 'auto' } };
  const founded: Command = { kind: 'memberAdd', member: { ...joiner, id: '1' } };
  await using grown = new Directory(['1']);
  await grown.with(apply(change(founded, add, { kind: 'memberPromoted', memberId: '2' })));
  grown.breakFile('log/CURRENT');
  await grown.with(async ({ log }) => assert.equal(log.hardState.suspectTerm, 4));
  await using learning = new Directory(['1', '2', '3']);
  await learning.with(apply(change(founded, add)));
  learning.breakFile('log/CURRENT');
  await assert.rejects(learning.with(write(0)), DamagedStorage, 'its only other member is a learner');
});

test('open state: an installation that was cut off in the middle of its renames is finished', async () => {
  const move = (d: Directory, from: string, to: string): void => renameSync(join(d.path, from), join(d.path, to));
  const { snapshot, chunks } = await snapshotOfPuts(9);
  for (const cut of [
    () => undefined,
    (d: Directory) => move(d, 'data', 'data.replaced'),
    (d: Directory) => {
      move(d, 'data', 'data.replaced');
      move(d, 'data.incoming', 'data');
    },
    (d: Directory) => {
      move(d, 'data', 'data.replaced');
      move(d, 'data.incoming', 'data');
      rmSync(join(d.path, 'data.replaced', 'CURRENT'));
    },
    // What is to be replaced is damaged as well.
    (d: Directory) => d.breakFile('data/CURRENT'),
  ]) {
    await using directory = new Directory();
    await directory.with(write(3));
    await directory.with(async (state) => {
      const incoming = await state.beginIncoming();
      for (const chunk of chunks) await incoming.write(chunk);
      await incoming.finish();
      await state.log.persist({ hardState: { term: 4, vote: '2', commit: 9 }, entries: [], snapshot });
    });
    cut(directory);
    for (let start = 0; start < 2; start++) {
      await directory.with(async ({ log, store }) => {
        assert.deepEqual([log.firstIndex(), log.hardState.suspectTerm], [10, undefined]);
        assert.deepEqual([store.appliedIndex, store.keyCount], [9, 9]);
      });
    }
    assert.deepEqual(readdirSync(directory.path).sort(), ['data', 'log', 'receipt']);
  }
});

test('open state: what came in is removed, whole or not, unless the log begins behind it', async () => {
  const { snapshot, chunks } = await snapshotOfPuts(9);
  for (const isWhole of [false, true]) {
    await using directory = new Directory();
    await directory.with(write(3));
    await directory.with(async (state) => {
      const incoming = await state.beginIncoming();
      for (const chunk of isWhole ? chunks : chunks.slice(0, -1)) await incoming.write(chunk);
      if (isWhole) await incoming.finish();
      await assert.rejects(isWhole ? Promise.reject(new Error('done')) : state.beginIncoming(), /done|two snapshots/);
    });
    assert(readdirSync(directory.path).includes('data.incoming'));
    await directory.with(async ({ log, store }) => assert.deepEqual([log.lastIndex(), store.appliedIndex], [3, 3]));
    assert.deepEqual(readdirSync(directory.path).sort(), ['data', 'log', 'receipt']);
    // Another one can be begun, and given up, in the same process.
    await directory.with(async (state) => {
      await (await state.beginIncoming()).discard();
      const incoming = await state.beginIncoming();
      for (const chunk of chunks) await incoming.write(chunk);
      assert.equal((await incoming.finish()).appliedIndex, snapshot.index);
      await incoming.discard();
    });
    assert.deepEqual(readdirSync(directory.path).sort(), ['data', 'log', 'receipt']);
  }
});

test('open state: a process that is killed while it installs leaves the old state or the new one', {
  timeout: 120_000,
}, async () => {
  const run = async (step: number): Promise<'old' | 'new' | 'through'> => {
    await using directory = new Directory();
    await directory.with(write(3));
    const script = fileURLToPath(new URL('./testing/installing-process.ts', import.meta.url));
    const child = spawn(process.execPath, ['--import', 'tsx', script, directory.path, '400', String(step)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
    assert(signal === 'SIGKILL' || code === 0, `it ended with ${code}`);
    let found: 'old' | 'new' = 'old';
    await directory.with(async ({ log, store }) => {
      found = log.firstIndex() === 1 ? 'old' : 'new';
      const index = found === 'old' ? 3 : 400;
      assert.deepEqual([store.appliedIndex, store.keyCount, log.lastIndex()], [index, index, index], `step ${step}`);
      assert.equal(log.hardState.suspectTerm, undefined);
    });
    assert.deepEqual(readdirSync(directory.path).sort(), ['data', 'log', 'receipt']);
    return code === 0 ? 'through' : found;
  };
  // The last write of what comes in, the write of the log on its way and done, the directories switched. The simulator
  // goes through all steps.
  const outcomes: string[] = [];
  for (const steps of [
    [3, 5],
    [6, 8],
  ]) {
    outcomes.push(...(await Promise.all(steps.map(run))));
  }
  assert.deepEqual([outcomes[0], ...outcomes.slice(2)], ['old', 'new', 'new']);
});

/** So many entries of term 4, durable and applied. */
function write(count: number): (state: State) => Promise<void> {
  return apply(puts(1, count));
}

function apply(entries: readonly Entry[]): (state: State) => Promise<void> {
  return async ({ log, store }) => {
    await log.persist({ hardState: { term: 4, vote: '2', commit: entries.length }, entries });
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
