import { BackupDamaged, DamagedStorage, StorageInUse, StorageRefused, StorageWriteFailed } from '../storage/index.ts';
import { ConfigError } from './config.ts';

const expected = [
  BackupDamaged,
  DamagedStorage,
  StorageInUse,
  StorageRefused,
  StorageWriteFailed,
  ConfigError,
] as const;

/** What a failure of a tool for files and directories is, in one line; undefined for a mistake of Balsa's own. */
export function expectedFailure(reason: unknown): string | undefined {
  if (expected.some((kind) => reason instanceof kind)) return (reason as Error).message;
  // A file that is not there, a disk that is full: the system names the call and the path.
  if (reason instanceof Error && 'syscall' in reason && 'code' in reason) return reason.message;
  return undefined;
}
