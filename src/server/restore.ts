import type { Clock } from '../base/clock.ts';
import type { MemberRecord } from '../mvcc/index.ts';
import type { StateFiles } from '../replica/index.ts';
import {
  type BackupManifest,
  type BackupReader,
  beginRebuild,
  directoryFiles,
  readBackup,
  refuseFilledDirectory,
  resumeRebuild,
  StorageRefused,
} from '../storage/index.ts';
import { defaultBumpRevision, foundAnew, idFrom, type NewIdentity } from './found-anew.ts';
import { systemClock } from './system-clock.ts';
import { type BackupProgress, takeInBackup } from './take-in-backup.ts';

export interface RestoreOptions {
  /** The backup's bytes, as of a file or a download. */
  readonly backup: AsyncIterable<Uint8Array>;
  /** Empty, or not there. */
  readonly dataDir: string;
  /** Of the member whose directory it becomes; one of `initialCluster`. */
  readonly name: string;
  /** The members of the new cluster. Each of them is restored from the same backup, with the same options. */
  readonly initialCluster: readonly { readonly name: string; readonly peerUrls: readonly string[] }[];
  readonly initialClusterToken: string;
  /** By how much the revision rises; see `refoundStore`. Default: 1,000,000,000. */
  readonly bumpRevision?: number | undefined;
  readonly onProgress?: BackupProgress;
}

export interface Restored {
  readonly clusterId: string;
  readonly memberId: string;
  /** Of the new cluster; everything before it counts as compacted. */
  readonly revision: number | undefined;
  readonly manifest: BackupManifest;
}

/**
 * Makes the data directory of a member of a new cluster, with the state of a backup. Everything is made and checked beside
 * it and then takes its place in one step; one that was cut off can be run again. All members come to the same cluster id
 * and the same state without having talked to each other; no id is one of the old cluster's.
 *
 * Rejects with `BackupDamaged`, or `StorageRefused` if the directory is not empty; then nothing was changed.
 */
export async function restore(options: RestoreOptions): Promise<Restored> {
  const { dataDir, name, bumpRevision = defaultBumpRevision, onProgress } = options;
  const reader = await readBackup(options.backup);
  const { manifest, chunks } = reader;
  try {
    const identity = restoredIdentity(options, manifest);
    const { clusterId, memberId } = identity;
    const resumed = await resumeRebuild(dataDir);
    if (resumed?.clusterId === clusterId && resumed.memberId === memberId) {
      return { clusterId, memberId, revision: undefined, manifest };
    }
    await refuseFilledDirectory(dataDir);
    const rebuilt = await beginRebuild(dataDir);
    try {
      const files = directoryFiles(rebuilt.path);
      const revision = await fillFromBackup(reader, { files, clock: systemClock, identity, bumpRevision, onProgress });
      await rebuilt.complete({ clusterId, memberId, name });
      return { clusterId, memberId, revision, manifest };
    } catch (reason) {
      await rebuilt.discard();
      throw reason;
    }
  } finally {
    await chunks.return();
  }
}

export interface FillOptions {
  readonly files: Pick<StateFiles, 'openDatabase' | 'openReceipts'>;
  readonly clock: Clock;
  readonly identity: NewIdentity;
  readonly bumpRevision: number;
  readonly onProgress?: BackupProgress | undefined;
}

/** Into files that are empty. Resolves with the revision of the new cluster; rejects with `BackupDamaged`. */
export async function fillFromBackup(reader: BackupReader, options: FillOptions): Promise<number> {
  const { files, clock, identity, bumpRevision, onProgress } = options;
  await takeInBackup(reader, files, clock, onProgress);
  const { groupId, term } = reader.manifest;
  return await foundAnew(files, clock, { groupId, term, bumpRevision }, identity);
}

/** The state and everything that shapes it go into the ids, so that none of them was ever anybody's. */
export function restoredIdentity(
  options: Pick<RestoreOptions, 'initialCluster' | 'initialClusterToken' | 'bumpRevision' | 'name' | 'dataDir'>,
  manifest: BackupManifest,
): NewIdentity {
  const { initialCluster, initialClusterToken, bumpRevision = defaultBumpRevision } = options;
  const origin = [manifest.clusterId, manifest.appliedIndex, manifest.term, manifest.stateHash, bumpRevision];
  const members = initialCluster.map(({ name, peerUrls }): MemberRecord => {
    const id = idFrom('restored member', ...origin, initialClusterToken, ...[...peerUrls].sort());
    return { id, name, peerUrls, clientUrls: [], version: '' };
  });
  const self = members.find((member) => member.name === options.name);
  if (self === undefined) {
    throw new StorageRefused({
      what: `The new cluster has no member named ${options.name}.`,
      where: options.dataDir,
      advice: 'Name the member as it is named in --initial-cluster. Nothing was changed.',
    });
  }
  const ids = members.map(({ id }) => id).sort();
  return { clusterId: idFrom('restored cluster', ...origin, ...ids), memberId: self.id, members };
}
