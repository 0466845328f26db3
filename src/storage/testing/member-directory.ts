import { cp, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { ManualClock } from '../../base/testing/manual-clock.ts';
import type { Database } from '../database.ts';
import { openDatabase } from '../open-database.ts';
import { openRaftLog } from '../open-raft-log.ts';
import type { RaftLog, RaftLogOptions } from '../raft-log.ts';
import { openReceiptFile } from '../receipt-file.ts';
import { testOwner } from './test-entries.ts';

export interface OpenedLog {
  readonly log: RaftLog;
  readonly database: Database;
  readonly clock: ManualClock;
  close(): Promise<void>;
}

/** A member's log directory and receipt file, on the real disk, gone when the test ends. */
export class MemberDirectory {
  readonly path: string;

  readonly #t: TestContext;

  private constructor(path: string, t: TestContext) {
    this.path = path;
    this.#t = t;
  }

  static async create(t: TestContext): Promise<MemberDirectory> {
    const path = await mkdtemp(join(tmpdir(), 'balsa-storage-'));
    t.after(() => rm(path, { recursive: true }));
    return new MemberDirectory(path, t);
  }

  get log(): string {
    return join(this.path, 'log');
  }

  get receipt(): string {
    return join(this.path, 'receipt-1');
  }

  /** Closed at the end of the test, unless it was before. */
  async openDatabase(): Promise<Database> {
    const database = await openDatabase(this.log, { kind: 'log' });
    this.#t.after(() => database.close());
    return database;
  }

  /** Opens everything as the server does, but for a database that is handed in. */
  async open(overrides: Partial<RaftLogOptions> = {}): Promise<OpenedLog> {
    const clock = new ManualClock();
    const { groupId = 1 } = overrides;
    const opened: { close(): Promise<void> }[] = [];
    const close = async (): Promise<void> => {
      for (let last = opened.pop(); last !== undefined; last = opened.pop()) {
        await last.close().finally(close);
      }
    };
    try {
      const database = overrides.database ?? (await this.openDatabase());
      if (overrides.database === undefined) opened.push(database);
      const receipts = await openReceiptFile(join(this.path, `receipt-${groupId}`));
      opened.push(receipts);
      const log = await openRaftLog({ ...testOwner, database, receipts, clock, ...overrides });
      opened.push(log);
      return { log, database, clock, close };
    } catch (reason) {
      await close();
      throw reason;
    }
  }

  /** The only file in `log/` with this ending that holds anything. */
  async file(ending: '.log' | '.ldb'): Promise<string> {
    const paths = (await readdir(this.log)).filter((name) => name.endsWith(ending)).map((name) => join(this.log, name));
    const sizes = await Promise.all(paths.map(async (path) => (await stat(path)).size));
    const found = paths.filter((_, i) => sizes[i] !== 0);
    if (found.length !== 1 || found[0] === undefined) throw new Error(`not one ${ending}, but: ${found.join(', ')}`);
    return found[0];
  }

  async copy(t: TestContext): Promise<MemberDirectory> {
    const copy = await MemberDirectory.create(t);
    await copy.restore(this);
    return copy;
  }

  /** Makes this directory what the other one is. */
  async restore(other: MemberDirectory): Promise<void> {
    await rm(this.log, { recursive: true, force: true });
    await rm(this.receipt, { force: true });
    await cp(other.path, this.path, { recursive: true });
  }
}
