import assert from 'node:assert/strict';
import { chmodSync, cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock } from '../../../src/base/testing/manual-clock.ts';
import type { Entry, HardState } from '../../../src/raft/types.ts';
import { StorageError } from '../../../src/storage/errors.ts';
import { openDatabase, openRaftLog, openReceiptFile, type RaftLog } from '../../../src/storage/index.ts';
import { picture, testOwner } from '../../../src/storage/testing/test-entries.ts';
import { smallerJson } from '../engine/smaller.ts';
import type { Input, OpenTarget, Target } from '../engine/target.ts';
import { makeScript, parseScript, wreak } from './file-damage.ts';

export const logDirectoryTarget: Target = {
  name: 'log-directory',
  about: 'a whole log directory and its receipts, damaged → opened as the server does; then all entries are right',
  weight: 1.5,
  where: 'here',
  smaller: smallerJson,
  open,
};

/** What a directory was when its last write was acknowledged. */
interface Base {
  readonly path: string;
  readonly entries: readonly Entry[];
  readonly hardState: HardState;
}

async function open(): Promise<OpenTarget> {
  const home = mkdtempSync(join(tmpdir(), 'balsa-fuzz-'));
  const bases = [
    await makeBase(join(home, 'small'), { batches: 3, bytes: 16, openings: 1 }),
    await makeBase(join(home, 'reopened'), { batches: 8, bytes: 200, openings: 3 }),
    await makeBase(join(home, 'tables'), { batches: 60, bytes: 3000, openings: 2 }),
    await makeBase(join(home, 'long'), { batches: 25, bytes: 9000, openings: 1 }),
  ];
  const work = join(home, 'work');
  return {
    make: (random) => ({ kind: 'script', bytes: Buffer.from(JSON.stringify(makeScript(random, bases.length))) }),
    // Of the copy and of LevelDB.
    allocationBytesMin: 64 * 1024 * 1024,

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
  const log = readdirSync(join(directory, 'log'))
    .sort()
    .map((name) => join(directory, 'log', name));
  const receipt = join(directory, 'receipt');
  return existsSync(receipt) ? [...log, receipt] : log;
}

/**
 * A typed refusal, or a log with entries as they were written. With the receipts as they were, all of them: each one was
 * acknowledged. With older receipts, or none for a log that has just begun, the log may end before.
 */
async function openAndCompare(directory: string, base: Base): Promise<void> {
  const receiptPath = join(directory, 'receipt');
  const areReceiptsWhole =
    existsSync(receiptPath) && readFileSync(receiptPath).equals(readFileSync(join(base.path, 'receipt')));
  const log = await openLog(directory);
  if (log === undefined) return;
  try {
    const found = picture(log.log);
    const expected = areReceiptsWhole ? base.entries : base.entries.slice(0, found.entries.length);
    assert.deepEqual(found.entries.map(describeEntry), expected.map(describeEntry), 'entries that were never written');
    if (areReceiptsWhole) {
      assert.deepEqual(
        { ...found.hardState, commit: 0 },
        { ...base.hardState, commit: 0 },
        'a term or vote that was never given',
      );
    }
  } finally {
    await log.close();
  }
}

function describeEntry({ index, term, type, data }: Entry): string {
  return `${index} ${term} ${type} ${Buffer.from(data).toString('hex')}`;
}

interface OpenedLog {
  readonly log: RaftLog;
  close(): Promise<void>;
}

/** Undefined where it is refused as documented. */
async function openLog(directory: string): Promise<OpenedLog | undefined> {
  const closers: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const closer of closers.reverse()) await closer();
  };
  try {
    const database = await openDatabase(join(directory, 'log'), { kind: 'log', writeBufferBytes: 64 * 1024 });
    closers.push(() => database.close());
    const receipts = await openReceiptFile(join(directory, 'receipt'));
    closers.push(() => receipts.close());
    const log = await openRaftLog({ ...testOwner, database, receipts, clock: new ManualClock() });
    closers.push(() => log.close());
    return { log, close };
  } catch (reason) {
    await close();
    if (reason instanceof StorageError && reason.message.includes(reason.advice)) return undefined;
    throw reason;
  }
}

async function makeBase(
  path: string,
  { batches, bytes, openings }: { batches: number; bytes: number; openings: number },
): Promise<Base> {
  let base: Base | undefined;
  for (let opening = 1; opening <= openings; opening++) {
    const opened = await openLog(path);
    assert.ok(opened !== undefined, 'a log that nobody damaged was refused');
    for (let batch = 0; batch < batches; batch++) {
      const first = opened.log.lastIndex() + 1;
      const entries = Array.from({ length: 1 + (batch % 3) }, (_, i): Entry => {
        const data = Buffer.alloc(bytes, `${opening}/${first + i} `);
        return { term: opening, index: first + i, type: 'command', data };
      });
      const hardState = { term: opening, vote: 'a1', commit: Math.max(0, first - 2) };
      await opened.log.persist({ hardState, entries });
    }
    const { entries } = picture(opened.log);
    const hardState = { term: opening, vote: 'a1', commit: 0 };
    base = { path, entries, hardState };
    await opened.close();
  }
  assert.ok(base !== undefined);
  chmodSync(path, 0o700);
  return base;
}
