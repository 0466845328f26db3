import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock } from '../../../src/base/testing/manual-clock.ts';
import { type Command, DamagedValue, decodeCommand, encodeCommand, type Store } from '../../../src/mvcc/index.ts';
import type { Entry, HardState } from '../../../src/raft/types.ts';
import { openState, type State, type StateFiles } from '../../../src/replica/index.ts';
import { codeOf, StorageError } from '../../../src/storage/errors.ts';
import { directoryFiles, openDatabase } from '../../../src/storage/index.ts';
import { picture, testOwner } from '../../../src/storage/testing/test-entries.ts';
import { smallerJson } from '../engine/smaller.ts';
import type { Input, OpenTarget, Target } from '../engine/target.ts';
import { makeScript, parseScript, wreak } from './file-damage.ts';

export const stateDirectoryTarget: Target = {
  name: 'state-directory',
  about: 'log, store and receipts of a member of three, damaged → healed as at a start; then nothing found is wrong',
  weight: 1,
  where: 'here',
  smaller: smallerJson,
  open,
};

/** What a member had promised and stored when it stopped. */
interface Base {
  readonly path: string;
  readonly entries: readonly Entry[];
  readonly hardState: HardState;
}

async function open(): Promise<OpenTarget> {
  const home = mkdtempSync(join(tmpdir(), 'balsa-fuzz-'));
  const bases = [
    await makeBase(join(home, 'small'), { entries: 4, bytes: 10, openings: 1 }),
    await makeBase(join(home, 'reopened'), { entries: 20, bytes: 500, openings: 3 }),
    await makeBase(join(home, 'large'), { entries: 60, bytes: 5000, openings: 2 }),
  ];
  const work = join(home, 'work');
  return {
    make: (random) => ({ kind: 'script', bytes: Buffer.from(JSON.stringify(makeScript(random, bases.length))) }),
    // Of the copy and of LevelDB.
    allocationBytesMin: 128 * 1024 * 1024,

    async run({ bytes }: Input) {
      const script = parseScript(bytes);
      const base = bases[script.base % bases.length];
      if (base === undefined) return;
      rmSync(work, { recursive: true, force: true });
      cpSync(base.path, work, { recursive: true });
      for (const damage of script.damages) wreak(filesOf(work), damage);
      await openAndCompare(work, base);
    },

    close: async () => rmSync(home, { recursive: true, force: true }),
  };
}

/** The receipts last. */
function filesOf(directory: string): string[] {
  const names = ['log', 'data'].flatMap((part) => namesIn(join(directory, part)).map((name) => join(part, name)));
  return [...names, 'receipt'].map((name) => join(directory, name));
}

function namesIn(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory).sort() : [];
}

async function openAndCompare(directory: string, base: Base): Promise<void> {
  const receipt = join(directory, 'receipt');
  const areReceiptsWhole =
    existsSync(receipt) && readFileSync(receipt).equals(readFileSync(join(base.path, 'receipt')));
  const state = await openAt(directory);
  if (state === undefined) return;
  try {
    compareLog(state, base, areReceiptsWhole);
    await compareStore(state.store, base);
    assert.ok(state.store.appliedIndex <= state.log.lastIndex(), 'the store is ahead of the log');
  } finally {
    await state.close();
  }
}

/** What is lost makes the member suspect, up to the term that it had promised something in. */
function compareLog({ log }: State, base: Base, areReceiptsWhole: boolean): void {
  const { entries, hardState } = picture(log);
  const expected = base.entries.slice(0, entries.length).map(describeEntry);
  assert.deepEqual(entries.map(describeEntry), expected, 'entries that were never written');
  if (!areReceiptsWhole) return;
  const { term, vote, suspectTerm } = hardState;
  assert.ok(term >= base.hardState.term, 'the term went back');
  if (suspectTerm === undefined) {
    assert.equal(entries.length, base.entries.length, 'entries are lost, and the member does not know');
    assert.ok(
      term > base.hardState.term || vote === base.hardState.vote,
      'the vote is lost, and the member does not know',
    );
  } else {
    assert.ok(suspectTerm >= base.hardState.term, 'a suspect does not abstain from all that it had promised');
  }
}

/** A value that is found was written under that key; a damaged one is told as that. */
async function compareStore(store: Store, base: Base): Promise<void> {
  const written = new Set(base.entries.map(({ data }) => contentOf(decodeCommand(data))));
  const view = store.readView();
  try {
    const options = { limit: 0, bytesMax: 64 * 1024 * 1024, keysOnly: false };
    const { kvs } = await view.page({ start: Buffer.alloc(0), end: undefined }, options);
    for (const { key, value } of kvs) {
      const found = contentOf({ kind: 'put', key, value, condition: undefined, previous: false });
      assert.ok(written.has(found), `a value that was never written: ${found.slice(0, 100)}`);
    }
  } catch (reason) {
    if (!(reason instanceof DamagedValue) && !codeOf(reason)?.startsWith('LEVEL_')) throw reason;
  } finally {
    await view.close();
  }
}

function contentOf(command: Command): string {
  return command.kind === 'put' ? `${Buffer.from(command.key)}=${Buffer.from(command.value)}` : command.kind;
}

function keyOf(index: number): string {
  return `key ${index}`;
}

function describeEntry({ index, term, type, data }: Entry): string {
  return `${index} ${term} ${type} ${Buffer.from(data).toString('hex')}`;
}

/** Undefined where it is refused as documented. */
async function openAt(directory: string): Promise<State | undefined> {
  try {
    return await openState({
      ...testOwner,
      files: filesAt(directory),
      clock: new ManualClock(),
      bootstrapMembers: testOwner.bootstrap.voters.map((id) => ({
        id,
        name: `node ${id}`,
        peerUrls: [],
        clientUrls: [],
        version: '',
      })),
      logCacheBytes: 100_000,
      flushIntervalMs: 50,
      flushChangesMax: 1000,
      flushBytesMax: 1024 * 1024,
      logger: { info: () => undefined, warn: () => undefined },
    });
  } catch (reason) {
    if (reason instanceof StorageError && reason.message.includes(reason.advice)) return undefined;
    throw reason;
  }
}

function filesAt(directory: string): StateFiles {
  return {
    ...directoryFiles(directory),
    openDatabase: (kind) => openDatabase(join(directory, kind), { kind, writeBufferBytes: 64 * 1024 }),
  };
}

async function makeBase(
  path: string,
  size: { readonly entries: number; readonly bytes: number; readonly openings: number },
): Promise<Base> {
  let base: Base | undefined;
  for (let opening = 1; opening <= size.openings; opening++) {
    const state = await openAt(path);
    assert.ok(state !== undefined, 'a directory that nobody damaged was refused');
    const hardState = { term: opening, vote: 'a1', commit: 0 };
    for (let count = 0; count < size.entries; count++) {
      const index = state.log.lastIndex() + 1;
      await state.log.persist({ hardState, entries: [putOf(index, opening, size.bytes)] });
      // The last ones are in the log only: they are applied again after a start.
      if (count < size.entries - 2)
        for (const entry of unapplied(state)) await state.store.apply(entry.index, entry.data, entry);
    }
    base = { path, entries: picture(state.log).entries, hardState };
    await state.close();
  }
  assert.ok(base !== undefined);
  return base;
}

function unapplied({ log, store }: State): readonly Entry[] {
  return log.entries(store.appliedIndex + 1, log.lastIndex() + 1, Number.MAX_SAFE_INTEGER);
}

function putOf(index: number, term: number, bytes: number): Entry {
  const key = Buffer.from(keyOf(index));
  const value = Buffer.alloc(bytes, `${term}/${index} `);
  return {
    term,
    index,
    type: 'command',
    data: encodeCommand({ kind: 'put', key, value, condition: undefined, previous: false }),
  };
}
