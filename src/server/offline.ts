/** What works on files and data directories, without a member that runs. */
export { inspectBackup, readFileChunks, saveBackup } from './backup-file.ts';
export { directoryFacts } from './directory-facts.ts';
export { expectedFailure } from './expected-failure.ts';
export { findLeader } from './find-leader.ts';
export { groupId } from './group.ts';
export { loadConfig } from './load-config.ts';
export { recover } from './recover.ts';
export { restore } from './restore.ts';
export { verifyBackup } from './verify-backup.ts';
