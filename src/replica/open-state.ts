import { assert } from '../base/assert.ts';
import type { Clock } from '../base/clock.ts';
import {
  DamagedValue,
  inspectStore,
  type MemberRecord,
  openStore,
  ReplaceableStore,
  type Store,
} from '../mvcc/index.ts';
import type { Configuration, LogIndex, MemberId } from '../raft/index.ts';
import {
  DamagedStorage,
  type Database,
  damageAdvice,
  openRaftLog,
  type RaftLog,
  type RaftLogOptions,
  type Receipt,
  type ReceiptStore,
} from '../storage/index.ts';
import { IncomingStore } from './incoming-store.ts';
import type { ReplicaMetrics } from './metrics.ts';
import type { ReplicaLog } from './replica-log.ts';
import type { StateFiles } from './state-files.ts';

export interface OpenStateOptions {
  readonly groupId: number;
  readonly clusterId: string;
  readonly memberId: MemberId;
  readonly files: StateFiles;
  readonly clock: Clock;
  readonly bootstrap: Configuration;
  readonly bootstrapMembers: readonly MemberRecord[];
  readonly logCacheBytes: number;
  readonly flushIntervalMs: number;
  readonly flushChangesMax: number;
  readonly flushBytesMax: number;
  /** See `StoreOptions`. */
  readonly watchStepChanges?: number;
  readonly metrics?: ReplicaMetrics;
  readonly logger: ReplicaLog;
}

/** Log and store of one group, open. */
export interface State {
  readonly log: RaftLog;
  readonly store: Store;
  /** A fresh place for a snapshot; one at a time. */
  beginIncoming(): Promise<IncomingStore>;
  /**
   * The log begins behind the snapshot that came in, durably: that one takes the place of the store. Between two entries.
   * If it rejects, the member has to stop; the next start goes on with it.
   */
  exchangeStore(): Promise<void>;
  /** Flushes and closes everything, whatever fails, and then rejects with the first failure. */
  close(): Promise<void>;
  /**
   * Ends a state that cannot be trusted. If the log or another member can make a new one, the store is set aside for
   * that; the place is told. Whatever fails on the way is only logged.
   */
  discard(reason: unknown): Promise<void>;
}

/**
 * Opens what a member has on its disk, and heals what can be healed:
 *
 * - A log that has lost something is set aside whole, and the member begins with an empty one as a suspect, which the
 *   others fill. The receipt tells the term; without it nobody could say since when the member must abstain.
 * - Receipts that are lost beside a log that is whole: the member keeps the log, and is suspect.
 * - A store that is damaged, or ahead of a log that had to begin anew, is set aside and built again from the log.
 * - A snapshot that had come in whole before its member was stopped takes the place of the store, if the log says so.
 * - A store that is damaged, lost or old, and that the log cannot build any more because its beginning is dropped: both
 *   are set aside, and the member begins as if its log were lost; the others send it a snapshot.
 *
 * Rejects with `DamagedStorage` where nobody has what was lost: in a group of one voter, and if both log and receipts are
 * damaged.
 */
export async function openState(options: OpenStateOptions): Promise<State> {
  const closers: Closers = [];
  try {
    let log = await openLog(options, closers);
    let data = await openData(options, log);
    if (!(data instanceof OpenData)) {
      log = await forgetLog(options, log, data, closers);
      data = await openData(options, log);
      if (!(data instanceof OpenData)) throw data;
    }
    return new OpenedState(options, log, data, closers);
  } catch (reason) {
    await closeAll(closers).catch(() => undefined);
    throw reason;
  }
}

class OpenedState implements State {
  readonly log: RaftLog;
  readonly store: ReplaceableStore;
  readonly #options: OpenStateOptions;
  readonly #closers: Closers;
  #data: OpenData;
  #incoming: IncomingStore | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: OpenStateOptions, log: RaftLog, data: OpenData, closers: Closers) {
    this.log = log;
    this.store = new ReplaceableStore(data.store);
    this.#options = options;
    this.#closers = closers;
    this.#data = data;
  }

  async beginIncoming(): Promise<IncomingStore> {
    assert(this.#incoming?.isOpen !== true, 'two snapshots come in at a time');
    const { files, groupId, clock } = this.#options;
    this.#incoming = await IncomingStore.open(files, groupId, clock);
    return this.#incoming;
  }

  async exchangeStore(): Promise<void> {
    const { files } = this.#options;
    const wanted = this.log.firstIndex() - 1;
    await this.store.exchange(async () => {
      await this.#data.database.close();
      await files.switchData();
      this.#data = await OpenData.open(this.#options);
      const { appliedIndex } = this.#data.store;
      assert(appliedIndex === wanted, () => `the log begins behind ${wanted}, and the snapshot is of ${appliedIndex}`);
      return this.#data.store;
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    this.#closers.push(
      () => this.#data.database.close(),
      () => this.store.close(),
      async () => this.#incoming?.close(),
    );
    await closeAll(this.#closers);
  }

  async discard(reason: unknown): Promise<void> {
    const { files, logger } = this.#options;
    await this.close().catch(() => undefined);
    if (this.log.firstIndex() > 1 && isLoneVoter(this.#options, this.log)) return;
    try {
      const aside = await files.setAside('data');
      logger.warn('store set aside: this member makes a new one when it is started', { reason, aside });
    } catch (failure) {
      logger.warn('the store could not be set aside', { reason: failure });
    }
  }
}

/** A database with the store in it. */
class OpenData {
  readonly database: Database;
  readonly store: Store;

  private constructor(database: Database, store: Store) {
    this.database = database;
    this.store = store;
  }

  static async open(options: OpenStateOptions): Promise<OpenData> {
    const { groupId, clock, bootstrapMembers, flushIntervalMs, flushChangesMax, flushBytesMax } = options;
    const database = await options.files.openDatabase('data');
    try {
      const store = await openStore({
        database,
        groupId,
        clock,
        bootstrapMembers,
        flushIntervalMs,
        flushChangesMax,
        flushBytesMax,
        watchStepChanges: options.watchStepChanges,
        onFlushed: options.metrics?.flushed,
      });
      return new OpenData(database, store);
    } catch (reason) {
      await database.close();
      throw reason;
    }
  }

  async close(): Promise<void> {
    await this.store.close();
    await this.database.close();
  }
}

type Closers = (() => Promise<void>)[];

async function openLog(options: OpenStateOptions, closers: Closers): Promise<RaftLog> {
  const receipts = await openReceipts(options, closers);
  const opened = await tryLog(options, receipts.store, receipts.lost !== undefined, closers);
  if (!(opened instanceof DamagedStorage)) return opened;
  if (await isAlone(options)) throw opened;
  const receipt = await receipts.store.read();
  if (receipt !== undefined) return await beginAgain(options, receipts.store, receipt, opened, closers);
  // They may be missing because they were set aside by a start that was cut off.
  const alone = await tryLog(options, receipts.store, true, closers);
  if (alone instanceof DamagedStorage) throw bothLost(alone, receipts.lost);
  options.logger.warn(receiptsLost, { reason: opened.message });
  return alone;
}

const receiptsLost = 'receipts lost: this member abstains from elections until the others have confirmed its log';

/** The log, or what is damaged; then everything that was opened for it is closed again. */
async function tryLog(
  options: OpenStateOptions,
  receipts: ReceiptStore,
  receiptLost: boolean,
  closers: Closers,
): Promise<RaftLog | DamagedStorage> {
  const attempt: Closers = [];
  try {
    const log = await openLogWith(options, receipts, { receiptLost }, attempt);
    closers.push(...attempt);
    return log;
  } catch (reason) {
    await closeAll(attempt).catch(() => undefined);
    if (reason instanceof DamagedStorage) return reason;
    throw reason;
  }
}

interface OpenedReceipts {
  readonly store: ReceiptStore;
  /** What was wrong with the ones before, which were set aside. */
  readonly lost: DamagedStorage | undefined;
}

async function openReceipts(options: OpenStateOptions, closers: Closers): Promise<OpenedReceipts> {
  const { files, logger } = options;
  const open = async (): Promise<ReceiptStore> => {
    const store = await files.openReceipts();
    closers.push(() => store.close());
    return store;
  };
  try {
    return { store: await open(), lost: undefined };
  } catch (reason) {
    if (!(reason instanceof DamagedStorage) || (await isAlone(options))) throw reason;
    const aside = await files.setAside('receipt');
    logger.warn(receiptsLost, { reason: reason.message, aside });
    return { store: await open(), lost: reason };
  }
}

async function openLogWith(
  options: OpenStateOptions,
  receipts: ReceiptStore,
  more: Pick<RaftLogOptions, 'receiptLost' | 'beginAfter'>,
  closers: Closers,
): Promise<RaftLog> {
  const { groupId, clusterId, memberId, clock, bootstrap, logCacheBytes: cacheBytes } = options;
  const database = await options.files.openDatabase('log');
  closers.push(() => database.close());
  const log = await openRaftLog({
    groupId,
    clusterId,
    memberId,
    database,
    receipts,
    clock,
    bootstrap,
    cacheBytes,
    ...more,
  });
  closers.push(() => log.close());
  return log;
}

/** Nothing of a damaged log is trusted: what it holds the others hold too, and they can prove it. */
async function beginAgain(
  options: OpenStateOptions,
  receipts: ReceiptStore,
  receipt: Receipt,
  damage: DamagedStorage,
  closers: Closers,
): Promise<RaftLog> {
  const { files, logger } = options;
  const aside = await files.setAside('log');
  logger.warn('log damaged: this member begins with an empty one and abstains from elections until it is filled', {
    reason: damage.message,
    aside,
    term: receipt.term,
  });
  return await openLogWith(options, receipts, { beginAfter: receipt }, closers);
}

/** The store that belongs to the log; or why there is none, and the log alone cannot build it. */
async function openData(options: OpenStateOptions, log: RaftLog): Promise<OpenData | DamagedStorage> {
  const { files, logger } = options;
  const baseIndex = log.firstIndex() - 1;
  let found = await tryData(options, log);
  if (!(found instanceof OpenData) && baseIndex > 0 && (await hasComeIn(options, baseIndex))) {
    await files.switchData();
    logger.info('snapshot installed: the installation had been cut off', { index: baseIndex });
    found = await tryData(options, log);
  }
  await files.discardIncoming();
  if (found instanceof OpenData || baseIndex > 0) return found;
  const aside = await files.setAside('data');
  logger.warn('store set aside: this member builds it again from its log', { reason: found.message, aside });
  return await OpenData.open(options);
}

async function tryData(options: OpenStateOptions, log: RaftLog): Promise<OpenData | DamagedStorage> {
  let data: OpenData;
  try {
    data = await OpenData.open(options);
  } catch (reason) {
    if (reason instanceof DamagedStorage) return reason;
    if (reason instanceof DamagedValue) return unusable(reason.message, reason);
    throw reason;
  }
  const { appliedIndex } = data.store;
  const [first, last] = [log.firstIndex(), log.lastIndex()];
  if (appliedIndex >= first - 1 && appliedIndex <= last) return data;
  await data.close();
  const what =
    appliedIndex > last
      ? `It holds everything up to index ${appliedIndex}, and the log ends at ${last}.`
      : `It holds everything up to index ${appliedIndex}, and the log begins at ${first}.`;
  return unusable(what, undefined);
}

/** A snapshot was installed as far as the log is concerned. */
async function hasComeIn({ files, groupId }: OpenStateOptions, index: LogIndex): Promise<boolean> {
  try {
    const database = await files.openIncoming('found');
    try {
      return (await inspectStore(database, groupId))?.appliedIndex === index;
    } finally {
      await database.close();
    }
  } catch (reason) {
    if (reason instanceof DamagedStorage || reason instanceof DamagedValue) return false;
    throw reason;
  }
}

/** Without its store the log is of no use: its beginning is dropped. */
async function forgetLog(
  options: OpenStateOptions,
  log: RaftLog,
  damage: DamagedStorage,
  closers: Closers,
): Promise<RaftLog> {
  const { files, logger } = options;
  if (isLoneVoter(options, log)) throw nobodyHasIt(damage);
  await closeAll(closers);
  const receipts = await openReceipts(options, closers);
  const receipt = await receipts.store.read();
  if (receipt === undefined) throw damage;
  const aside = await files.setAside('data');
  logger.warn('store lost, and the log is too short to build it again', { reason: damage.message, aside });
  return await beginAgain(options, receipts.store, receipt, damage, closers);
}

function isLoneVoter({ memberId }: OpenStateOptions, log: RaftLog): boolean {
  const newest = log.configurations().at(-1)?.configuration;
  return newest !== undefined && isOnlyVoter(memberId, newest);
}

function isOnlyVoter(memberId: MemberId, { voters, votersOutgoing }: Configuration): boolean {
  return voters.includes(memberId) && [...voters, ...votersOutgoing].every((id) => id === memberId);
}

/** Nobody else has what this member has lost. The log cannot be asked: it is what was lost. */
async function isAlone({ files, groupId, memberId, bootstrap }: OpenStateOptions): Promise<boolean> {
  const members = await knownMembers(files, groupId);
  if (members.length === 0) return isOnlyVoter(memberId, bootstrap);
  return members.every(({ id, promote }) => id === memberId || promote !== undefined);
}

/** As the store has them, if it can tell. */
async function knownMembers(files: StateFiles, groupId: number): Promise<readonly MemberRecord[]> {
  try {
    const database = await files.openDatabase('data');
    try {
      return (await inspectStore(database, groupId))?.members ?? [];
    } finally {
      await database.close();
    }
  } catch (reason) {
    if (reason instanceof DamagedStorage || reason instanceof DamagedValue) return [];
    throw reason;
  }
}

function unusable(what: string, cause: unknown): DamagedStorage {
  return new DamagedStorage({ what, where: 'the store', advice: damageAdvice, cause });
}

function nobodyHasIt(damage: DamagedStorage): DamagedStorage {
  const what = `${damage.what} The log begins behind that, so it cannot build the store again.`;
  const advice =
    'This member is the only voter, so nobody else has what was lost, and it does not start. Nothing was repaired or ' +
    'deleted: keep the directory, and restore a backup into another one.';
  return new DamagedStorage({ what, where: damage.where, advice, cause: damage });
}

/** Without either, nobody can tell which term this member has voted in. */
function bothLost(log: DamagedStorage, receipts: DamagedStorage | undefined): DamagedStorage {
  const what = `${log.what} The receipts are ${receipts === undefined ? 'missing' : 'damaged'} as well.`;
  return new DamagedStorage({ what, where: log.where, advice: damageAdvice, cause: log });
}

/** In the opposite order. */
async function closeAll(closers: Closers): Promise<void> {
  const failures: unknown[] = [];
  for (let close = closers.pop(); close !== undefined; close = closers.pop()) {
    try {
      await close();
    } catch (reason) {
      failures.push(reason);
    }
  }
  if (failures.length > 0) throw failures[0];
}
