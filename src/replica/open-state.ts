import type { Clock } from '../base/clock.ts';
import { DamagedValue, type MemberRecord, openStore, type Store } from '../mvcc/index.ts';
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
import type { ReplicaLog } from './replica.ts';

/** What a member keeps on its disk: directories in production, memory with faults in the simulator. */
export interface StateFiles {
  /** Rejects with `DamagedStorage` if the files are not whole. */
  openDatabase(kind: 'log' | 'data'): Promise<Database>;
  /** Rejects with `DamagedStorage` if there are receipts and none is intact. */
  openReceipts(): Promise<ReceiptStore>;
  /**
   * Moves what is there out of the way, for people to look at; the next opening finds nothing. Resolves with its new
   * place when that is durable. Harmless if nothing is there.
   */
  setAside(what: 'log' | 'data' | 'receipt'): Promise<string>;
}

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
  readonly logger: ReplicaLog;
}

/** Log and store of one group, open. */
export interface State {
  readonly log: RaftLog;
  readonly store: Store;
  /** Flushes and closes everything, whatever fails, and then rejects with the first failure. */
  close(): Promise<void>;
  /**
   * Ends a state that cannot be trusted. If the log can make a new one, the store is set aside for that; the place is
   * told. Whatever fails on the way is only logged.
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
 *
 * Rejects with `DamagedStorage` where nobody has what was lost: in a group of one voter, and if both log and receipts are
 * damaged.
 */
export async function openState(options: OpenStateOptions): Promise<State> {
  const closers: (() => Promise<void>)[] = [];
  try {
    const log = await openLog(options, closers);
    const store = await openData(options, log, closers);
    const close = (): Promise<void> => closeAll(closers);
    return { log, store, close, discard: (reason) => discard(options, log.firstIndex(), close, reason) };
  } catch (reason) {
    await closeAll(closers).catch(() => undefined);
    throw reason;
  }
}

type Closers = (() => Promise<void>)[];

async function openLog(options: OpenStateOptions, closers: Closers): Promise<RaftLog> {
  const receipts = await openReceipts(options, closers);
  const opened = await tryLog(options, receipts.store, receipts.lost !== undefined, closers);
  if (!(opened instanceof DamagedStorage)) return opened;
  if (isAlone(options)) throw opened;
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
    if (!(reason instanceof DamagedStorage) || isAlone(options)) throw reason;
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

async function openData(options: OpenStateOptions, log: RaftLog, closers: Closers): Promise<Store> {
  const attempt: Closers = [];
  let why: string;
  try {
    const store = await openStoreOf(options, attempt);
    if (store.appliedIndex <= log.lastIndex()) {
      closers.push(...attempt);
      return store;
    }
    why = `it holds everything up to index ${store.appliedIndex}, and the log ends at ${log.lastIndex()}`;
  } catch (reason) {
    const isDamage = reason instanceof DamagedStorage || reason instanceof DamagedValue;
    // What the log has dropped only the store still knows.
    if (!isDamage || log.firstIndex() > 1) throw reason;
    why = reason.message;
  }
  await closeAll(attempt).catch(() => undefined);
  const aside = await options.files.setAside('data');
  options.logger.warn('store set aside: this member builds it again from its log', { reason: why, aside });
  return await openStoreOf(options, closers);
}

/** It can be made anew as long as the log still has its beginning. */
async function discard(
  { files, logger }: OpenStateOptions,
  firstIndex: LogIndex,
  close: () => Promise<void>,
  reason: unknown,
): Promise<void> {
  await close().catch(() => undefined);
  if (firstIndex > 1) return;
  try {
    const aside = await files.setAside('data');
    logger.warn('store set aside: this member builds it again from its log when it is started', { reason, aside });
  } catch (failure) {
    logger.warn('the store could not be set aside', { reason: failure });
  }
}

async function openStoreOf(options: OpenStateOptions, closers: Closers): Promise<Store> {
  const { files, groupId, clock, bootstrapMembers, flushIntervalMs, flushChangesMax, flushBytesMax } = options;
  const database = await files.openDatabase('data');
  closers.push(() => database.close());
  const store = await openStore({
    database,
    groupId,
    clock,
    bootstrapMembers,
    flushIntervalMs,
    flushChangesMax,
    flushBytesMax,
    watchStepChanges: options.watchStepChanges,
  });
  closers.push(() => store.close());
  return store;
}

/** Nobody else has what this member has lost. */
function isAlone({ bootstrap }: OpenStateOptions): boolean {
  return new Set([...bootstrap.voters, ...bootstrap.votersOutgoing]).size < 2;
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
