import { BalsaError } from '../contract/errors.ts';
import type { StoreExport } from '../mvcc/index.ts';
import { writeBackup } from '../storage/index.ts';
import type { Replica } from './replica.ts';
import type { BackupService, RequestOptions } from './service.ts';
import { positionOf } from './snapshot-position.ts';

export interface BackupServiceOptions {
  /** Of the software, for the manifest. */
  readonly version: string;
}

/** Backups at once; each keeps LevelDB from reclaiming space. */
const backupsMax = 4;

/** Streams this member's store as it is when it is asked, with everything that was acknowledged before. */
export class ReplicaBackupService implements BackupService {
  readonly #replica: Replica;
  readonly #options: BackupServiceOptions;
  #open = 0;

  constructor(replica: Replica, options: BackupServiceOptions) {
    this.#replica = replica;
    this.#options = options;
  }

  async backup({ timeoutMs }: RequestOptions): ReturnType<BackupService['backup']> {
    const { store } = this.#replica.options;
    if (this.#open >= backupsMax) {
      throw new BalsaError('too_many_requests', `${backupsMax} backups are under way on this member; wait for one.`);
    }
    this.#open++;
    let source: StoreExport | undefined;
    try {
      await this.#replica.reads.confirm(timeoutMs);
      // LevelDB lags behind what was acknowledged.
      await store.flush();
      source = await store.openExport();
      const chunks = this.#stream(source);
      return { header: this.#replica.header(), revision: source.revision, chunks };
    } catch (reason) {
      this.#open--;
      await source?.close();
      throw BalsaError.from(reason);
    }
  }

  #stream(source: StoreExport): AsyncIterable<Uint8Array> {
    const { log, clusterId, groupId } = this.#replica.options;
    const position = positionOf(source, log);
    if (position === undefined) {
      throw new BalsaError('unavailable', 'This member is catching up with the others. Ask again, or another one.');
    }
    const { index: appliedIndex, term, configuration } = position;
    const { revision, compactRevision, keyCount, hash: stateHash, bytesExpected } = source;
    const frames = writeBackup(source, {
      ...{ clusterId, groupId, appliedIndex, term, configuration },
      ...{ revision, compactRevision, keyCount, stateHash, bytesExpected },
      members: source.members.map(({ id, name }) => ({ id, name })),
      createdBy: this.#options.version,
    });
    const end = async (): Promise<void> => {
      this.#open--;
      await source.close();
    };
    return closing(frames, end);
  }
}

/** Ends with the stream, whether it was read to its end or given up, even before it was begun. */
function closing(frames: AsyncGenerator<Buffer>, close: () => Promise<void>): AsyncIterable<Uint8Array> {
  let isClosed = false;
  const end = async (): Promise<void> => {
    if (isClosed) return;
    isClosed = true;
    await close();
  };
  return {
    [Symbol.asyncIterator]: () => ({
      async next() {
        try {
          const step = await frames.next();
          if (step.done === true) await end();
          return step;
        } catch (reason) {
          await end();
          throw reason;
        }
      },
      async return() {
        await frames.return(undefined);
        await end();
        return { done: true, value: undefined };
      },
    }),
  };
}
