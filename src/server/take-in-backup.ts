import type { Clock } from '../base/clock.ts';
import { DamagedValue, type ImportedStore, importing, MalformedStream } from '../mvcc/index.ts';
import type { StateFiles } from '../replica/index.ts';
import { BackupDamaged, type BackupManifest, type BackupReader } from '../storage/index.ts';

/** Called with the bytes of data taken in so far; `manifest.bytesExpected` says of how many, about. */
export type BackupProgress = (bytes: number) => void;

/**
 * Brings the data of a backup into the new, empty `data` of `files`, and holds what comes out against the manifest. Rejects
 * with `BackupDamaged`; what was written is rubbish then.
 */
export async function takeInBackup(
  { manifest, chunks }: BackupReader,
  files: Pick<StateFiles, 'openDatabase'>,
  clock: Clock,
  onProgress: BackupProgress = () => {},
): Promise<ImportedStore> {
  const database = await files.openDatabase('data');
  try {
    const into = await importing(database, manifest.groupId, clock);
    let bytes = 0;
    for await (const chunk of chunks) {
      await into.write(chunk);
      bytes += chunk.length;
      onProgress(bytes);
    }
    const imported = await into.finish();
    compare(manifest, imported);
    return imported;
  } catch (reason) {
    throw asDamage(reason);
  } finally {
    await database.close();
  }
}

function compare(manifest: BackupManifest, { appliedIndex, revision, keyCount, hash }: ImportedStore): void {
  const agrees =
    manifest.appliedIndex === appliedIndex &&
    manifest.revision === revision &&
    manifest.keyCount === keyCount &&
    manifest.stateHash === hash;
  if (!agrees) throw new BackupDamaged('its data is not that of its manifest', 0);
}

/** Its checksums fit, so it was written like that. */
function asDamage(reason: unknown): unknown {
  if (!(reason instanceof DamagedValue || reason instanceof MalformedStream)) return reason;
  return new BackupDamaged(`its data was damaged when it was written: ${reason.message}`, 0);
}
