import { assert } from '../base/assert.ts';
import type { Entry, Snapshot } from '../raft/types.ts';
import { DurableLog } from './durable-log.ts';
import { EntryCache } from './entry-cache.ts';
import { StorageError, StorageRefused, StorageWriteFailed } from './errors.ts';
import { LogConfigurations } from './log-configurations.ts';
import { baseKey, headerKey, tailKey } from './log-keys.ts';
import {
  chainBehindSnapshot,
  chainSeed,
  encodeBase,
  encodeHeader,
  encodeTail,
  type LogHeader,
  type Tail,
} from './log-records.ts';
import type { RaftLog, RaftLogOptions } from './raft-log.ts';
import { type Receipt, receiptOf } from './receipt.ts';
import { writeSynced } from './synced-batch.ts';
import { verifyLog } from './verify-log.ts';

/**
 * Opens and verifies the log; an empty database with an empty receipt store becomes a new one. Rejects with
 * `DamagedStorage`, and has changed nothing, if anything is missing, and with `StorageRefused` if the log is another
 * cluster's, member's or version's.
 */
export async function openRaftLog(options: RaftLogOptions): Promise<RaftLog> {
  const { clusterId, memberId, groupId, database, receipts, bootstrap } = options;
  assert(groupId >= 0 && groupId < 2 ** 32, () => `the group ${groupId} is no unsigned 32-bit number`);
  const where = describePlace(options);
  const receipt = await receipts.read();
  if (receipt !== undefined) refuseForeign(where, 'receipt', receipt, options);
  const cache = new EntryCache(options.cacheBytes);
  const configurationEntries: Entry[] = [];
  const found = await verifyLog({
    database,
    groupId,
    receipt: options.receiptLost ? 'lost' : options.beginAfter === undefined ? receipt : undefined,
    where,
    onEntry: (chained) => {
      cache.push(chained);
      if (chained.entry.type === 'configuration') configurationEntries.push(chained.entry);
    },
  });
  if (found !== undefined) refuseForeign(where, 'log', found.header, options);
  const header = found?.header ?? { clusterId, memberId, groupId, bootstrap };
  const base = found === undefined ? options.base : found.base;
  const configurations = new LogConfigurations(base?.index ?? 0, base?.configuration ?? header.bootstrap);
  for (const entry of configurationEntries) if (!configurations.append(entry)) throw unknownConfiguration(where, entry);
  let tail = found?.tail;
  if (tail === undefined) tail = await writing(where, createLog(options, header));
  else if (options.receiptLost) tail = await writing(where, markSuspect(options, tail));
  // Also when nothing is new: it marks the receipts as this opening's.
  await writing(where, receipts.write(receiptOf(header, tail)));
  return new DurableLog({ header, tail, cache, configurations, where, database, receipts, clock: options.clock });
}

function unknownConfiguration(where: string, { index }: Entry): StorageRefused {
  return new StorageRefused({
    what: `The configuration in entry ${index} has a format that this version of Balsa cannot read.`,
    where,
    advice: 'Start the version of Balsa that wrote it.',
  });
}

async function writing<T>(where: string, result: Promise<T>): Promise<T> {
  try {
    return await result;
  } catch (cause) {
    if (cause instanceof StorageError) throw cause;
    throw new StorageWriteFailed({
      what: `The log or its receipt could not be written (${cause instanceof Error ? cause.message : String(cause)}).`,
      where,
      advice: 'Check the disk, its free space and the rights of this process, and start this member again.',
      cause,
    });
  }
}

/**
 * Resolves when the first batch, which holds no entry, is durable. A crash before the first receipt is harmless. A log
 * that takes the place of a lost one keeps what the receipt knows: no vote is given in that term or an earlier one.
 */
async function createLog({ database, receipts, beginAfter, base }: RaftLogOptions, header: LogHeader): Promise<Tail> {
  const { clusterId, groupId } = header;
  assert(base === undefined || beginAfter === undefined, 'a log that takes the place of a lost one begins empty');
  if (base !== undefined) return await createLogBehind(base, { database, receipts }, header);
  const seed = chainSeed(clusterId, groupId);
  const term = beginAfter?.term ?? 0;
  const hardState = { term, vote: undefined, commit: 0 };
  const tail: Tail = {
    sequence: (beginAfter?.sequence ?? 0) + 1,
    bootId: receipts.bootId,
    // In term 0 nobody promises anything.
    hardState: term === 0 ? hardState : { ...hardState, suspectTerm: term },
    firstIndex: 1,
    lastIndex: 0,
    lastTerm: 0,
    baseTerm: 0,
    baseChain: seed,
    chain: seed,
  };
  await writeSynced(database, (batch) => {
    batch.put(headerKey(header.groupId), encodeHeader(header));
    batch.put(tailKey(header.groupId), encodeTail(tail));
  });
  return tail;
}

/** Everything up to the base is committed: the store that comes with this log holds it. */
async function createLogBehind(
  { index, term, configuration }: Snapshot,
  { database, receipts }: Pick<RaftLogOptions, 'database' | 'receipts'>,
  header: LogHeader,
): Promise<Tail> {
  const { clusterId, groupId } = header;
  const chain = chainBehindSnapshot(clusterId, groupId, index, term);
  const tail: Tail = {
    sequence: 1,
    bootId: receipts.bootId,
    hardState: { term, vote: undefined, commit: index },
    firstIndex: index + 1,
    lastIndex: index,
    lastTerm: term,
    baseTerm: term,
    baseChain: chain,
    chain,
  };
  await writeSynced(database, (batch) => {
    batch.put(headerKey(groupId), encodeHeader(header));
    batch.put(baseKey(groupId), encodeBase({ index, term, chain, configuration }));
    batch.put(tailKey(groupId), encodeTail(tail));
  });
  return tail;
}

/** The log is whole as far as it can tell, but what it promised last may be gone without a trace. */
async function markSuspect({ database, receipts, groupId }: RaftLogOptions, found: Tail): Promise<Tail> {
  const { hardState } = found;
  const tail: Tail = {
    ...found,
    sequence: found.sequence + 1,
    bootId: receipts.bootId,
    hardState: { ...hardState, suspectTerm: hardState.term },
  };
  await writeSynced(database, (batch) => {
    batch.put(tailKey(groupId), encodeTail(tail));
  });
  return tail;
}

function describePlace({ database, groupId }: RaftLogOptions): string {
  const location: unknown = 'location' in database ? database.location : undefined;
  return typeof location === 'string' ? `${location}, group ${groupId}` : `the log of group ${groupId}`;
}

function refuseForeign(
  where: string,
  what: string,
  owner: Pick<Receipt, 'clusterId' | 'memberId'>,
  wanted: RaftLogOptions,
): void {
  if (owner.clusterId === wanted.clusterId && owner.memberId === wanted.memberId) return;
  throw new StorageRefused({
    what:
      `The ${what} belongs to member ${owner.memberId} of cluster ${owner.clusterId}, ` +
      `not to member ${wanted.memberId} of cluster ${wanted.clusterId}.`,
    where,
    advice: 'Nothing was changed. Give each member a data directory of its own.',
  });
}
