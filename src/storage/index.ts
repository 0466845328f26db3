export type { Database } from './database.ts';
export { DamagedStorage, StorageInUse, StorageRefused, StorageWriteFailed } from './errors.ts';
export type { Identity } from './identity.ts';
export { openIdentity, readIdentity } from './identity.ts';
export { openDatabase } from './open-database.ts';
export { openRaftLog } from './open-raft-log.ts';
export type { PersistBatch, RaftLog, RaftLogOptions } from './raft-log.ts';
export type { Receipt, ReceiptStore } from './receipt.ts';
export { openReceiptFile } from './receipt-file.ts';
