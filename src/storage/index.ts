export { type BackupManifest, backupChunkBytes } from './backup-format.ts';
export type { Database } from './database.ts';
export { type DirectoryFiles, directoryFiles } from './directory-files.ts';
export { DamagedStorage, damageAdvice, StorageInUse, StorageRefused, StorageWriteFailed } from './errors.ts';
export type { Identity } from './identity.ts';
export { openIdentity, readIdentity } from './identity.ts';
export { openDatabase } from './open-database.ts';
export { openRaftLog } from './open-raft-log.ts';
export type { PersistBatch, RaftLog, RaftLogOptions } from './raft-log.ts';
export { droppedEntriesMax } from './raft-log.ts';
export { BackupDamaged, type BackupReader, readBackup } from './read-backup.ts';
export {
  beginRebuild,
  isRebuildCutOff,
  type RebuiltDirectory,
  refuseFilledDirectory,
  resumeRebuild,
} from './rebuilt-directory.ts';
export type { Receipt, ReceiptStore } from './receipt.ts';
export { openReceiptFile } from './receipt-file.ts';
export { RunningDigest } from './running-digest.ts';
export { setAside } from './set-aside.ts';
export { type BackupSource, writeBackup } from './write-backup.ts';
