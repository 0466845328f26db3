import { join } from 'node:path';
import { importing, openExport, openStore, type Store } from '../mvcc/index.ts';
import { decodeConfigurationData, type Entry } from '../raft/index.ts';
import {
  backupChunkBytes,
  beginRebuild,
  directoryFiles,
  type Identity,
  openDatabase,
  openRaftLog,
  openReceiptFile,
  type RaftLog,
  readIdentity,
  resumeRebuild,
  StorageRefused,
} from '../storage/index.ts';
import { defaultBumpRevision, foundAnew, idFrom } from './found-anew.ts';
import { systemClock } from './system-clock.ts';

export interface RecoverOptions {
  /** Of a member that is stopped. */
  readonly dataDir: string;
  readonly groupId: number;
  /** What the member is called and how it is reached from now on. */
  readonly name: string;
  readonly peerUrls: readonly string[];
  /** By how much the revision rises, past all that the lost members may have told. Default: 1,000,000,000. */
  readonly bumpRevision?: number | undefined;
}

export interface Recovered {
  readonly clusterId: string;
  readonly memberId: string;
  readonly revision: number | undefined;
  /** The last entry of the log, which counts as committed now. */
  readonly lastIndex: number;
  /** Entries of the log that were not known to be committed. */
  readonly uncommitted: number;
  /** Where what was there before is kept. */
  readonly kept: string | undefined;
}

/**
 * For a cluster that has lost its quorum for good: makes a new one of a single surviving member. Its state is everything
 * that its log holds, committed or not, so that nothing is lost which only this member still has; what only the others had
 * is lost. It gets a new cluster id, so that no member of before, should it come back, can take part or be taken part with
 * (etcd#20071, #20339), and all of them count as removed, learners too. What was there is kept beside it.
 *
 * Rejects with `StorageRefused` if the member is one that has forgotten what it promised, with `DamagedStorage` if log or
 * store are damaged, with `StorageInUse` while it runs; then nothing was changed. One that was cut off can be run again.
 */
export async function recover(options: RecoverOptions): Promise<Recovered> {
  const { dataDir } = options;
  const resumed = await resumeRebuild(dataDir);
  if (resumed !== undefined) {
    const { clusterId, memberId } = resumed;
    return { clusterId, memberId, revision: undefined, lastIndex: 0, uncommitted: 0, kept: undefined };
  }
  const identity = await readIdentity(dataDir);
  if (identity === undefined) throw refused(dataDir, 'There is no data of a member.', 'Name its data directory.');
  const receipts = await openReceiptFile(join(dataDir, 'receipt'));
  try {
    const database = await openDatabase(join(dataDir, 'log'), { kind: 'log' });
    try {
      const log = await openRaftLog({
        groupId: options.groupId,
        clusterId: identity.clusterId,
        memberId: identity.memberId,
        database,
        receipts,
        clock: systemClock,
        bootstrap: { voters: [], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false },
        cacheBytes: 0,
      });
      try {
        return await rebuild(options, identity, log);
      } finally {
        await log.close();
      }
    } finally {
      await database.close();
    }
  } finally {
    await receipts.close();
  }
}

async function rebuild(options: RecoverOptions, identity: Identity, log: RaftLog): Promise<Recovered> {
  const { dataDir, groupId, name, peerUrls, bumpRevision = defaultBumpRevision } = options;
  const { memberId } = identity;
  if (log.hardState.suspectTerm !== undefined) {
    const what = 'This member has lost something that it had promised, so others may hold more than it does.';
    throw refused(dataDir, what, 'Recover another member, or restore a backup.');
  }
  const [lastIndex, term] = [log.lastIndex(), log.term(log.lastIndex()) ?? 0];
  const rebuilt = await beginRebuild(dataDir);
  try {
    await copyData(dataDir, rebuilt.path, options.groupId);
    await applyLog(rebuilt.path, groupId, log);
    const clusterId = idFrom('recovered cluster', identity.clusterId, memberId, lastIndex, term);
    const members = [{ id: memberId, name, peerUrls, clientUrls: [], version: '' }];
    const state = { groupId, term: Math.max(term, log.hardState.term), bumpRevision };
    const revision = await foundAnew(directoryFiles(rebuilt.path), systemClock, state, {
      clusterId,
      memberId,
      members,
    });
    const kept = await rebuilt.complete({ clusterId, memberId, name });
    return { clusterId, memberId, revision, lastIndex, uncommitted: lastIndex - log.hardState.commit, kept };
  } catch (reason) {
    await rebuilt.discard();
    throw reason;
  }
}

/** Entries that were never committed must not get into what is there: the member might still be started with it. */
async function copyData(from: string, to: string, groupId: number): Promise<void> {
  const source = await openDatabase(join(from, 'data'), { kind: 'data' });
  try {
    const target = await openDatabase(join(to, 'data'), { kind: 'data' });
    try {
      const [exported, imported] = [await openExport(source, groupId), await importing(target, groupId, systemClock)];
      try {
        for (let chunk = await exported.next(backupChunkBytes); chunk !== undefined; ) {
          await imported.write(chunk);
          chunk = await exported.next(backupChunkBytes);
        }
        await imported.finish();
      } finally {
        await exported.close();
      }
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

async function applyLog(directory: string, groupId: number, log: RaftLog): Promise<void> {
  const database = await openDatabase(join(directory, 'data'), { kind: 'data' });
  try {
    const store = await openStore({
      database,
      groupId,
      clock: systemClock,
      bootstrapMembers: [],
      flushIntervalMs: 1000,
      flushChangesMax: 16_384,
      flushBytesMax: bufferedBytesMax,
    });
    try {
      if (store.appliedIndex < log.firstIndex() - 1 || store.appliedIndex > log.lastIndex()) {
        const what = `The store is that of index ${store.appliedIndex}, which does not belong to the log.`;
        throw refused(directory, what, 'Start the member once, so that it puts itself right, or restore a backup.');
      }
      while (store.appliedIndex < log.lastIndex()) {
        const next = store.appliedIndex + 1;
        for (const entry of log.entries(next, log.lastIndex() + 1, entriesBytesMax)) await applyEntry(store, entry);
      }
    } finally {
      await store.close();
    }
  } finally {
    await database.close();
  }
}

async function applyEntry(store: Store, { index, term, type, data }: Entry): Promise<void> {
  const commands =
    type === 'command' ? data : type === 'configuration' ? decodeConfigurationData(data)?.context : undefined;
  if (commands === undefined || commands.length === 0) store.apply(index, undefined);
  else await store.apply(index, commands, { term });
  if (store.bufferedBytes > bufferedBytesMax) await store.flush();
}

function refused(where: string, what: string, advice: string): StorageRefused {
  return new StorageRefused({ what, where, advice: `${advice} Nothing was changed.` });
}

const bufferedBytesMax = 16 * 1024 * 1024;
const entriesBytesMax = 4 * 1024 * 1024;
