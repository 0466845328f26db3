/** What was found, where, and what the operator can do: each a complete sentence, but for the place. */
export interface StorageReport {
  readonly what: string;
  readonly where: string;
  readonly advice: string;
  readonly cause?: unknown;
}

/** What every storage error has in common: its message is the whole report. */
export abstract class StorageError extends Error {
  readonly what: string;
  readonly where: string;
  readonly advice: string;

  constructor(report: StorageReport) {
    super(
      `${report.where}: ${report.what} ${report.advice}`,
      report.cause === undefined ? {} : { cause: report.cause },
    );
    this.what = report.what;
    this.where = report.where;
    this.advice = report.advice;
  }
}

/**
 * Something that was acknowledged is missing or altered. The member must not serve, vote or acknowledge from this
 * directory; starting it again does not help.
 */
export class DamagedStorage extends StorageError {
  override readonly name = 'DamagedStorage';
}

/** Another process, or another part of this one, has the directory open. */
export class StorageInUse extends StorageError {
  override readonly name = 'StorageInUse';
}

/** Nothing is damaged, but this member must not use the directory as it is: not its own, not private, not readable. */
export class StorageRefused extends StorageError {
  override readonly name = 'StorageRefused';
}

/** A write failed. What is on disk is uncertain until a new process has opened and verified it. */
export class StorageWriteFailed extends StorageError {
  override readonly name = 'StorageWriteFailed';
}

const replaceMember =
  'In a cluster, replace this member by a new one, which gets everything from the others; a single node has to be ' +
  'restored from a backup.';

/** What to do about damage that was found while opening. */
export const damageAdvice =
  'Writes that this member acknowledged may be gone, so it does not start. Nothing was repaired or deleted: keep the ' +
  `directory. ${replaceMember}`;

/** The same for damage found later. */
export const laterDamageAdvice = `Writes that this member acknowledged may be gone, so it must not go on. Keep the directory. ${replaceMember}`;

/** The `code` of a Node.js or LevelDB error, of its cause if it has one. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const inner = codeOf(error.cause);
  if (inner !== undefined) return inner;
  return 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** Codes of failures that are about the process and its rights, not about the disk. */
const environmental = new Set(['EACCES', 'EPERM', 'EMFILE', 'ENFILE', 'ENOMEM']);

/** The error for a file that could not be read: never an empty file, and never a reason to go on without it. */
export function unreadable(path: string, cause: unknown): DamagedStorage | StorageRefused {
  const code = codeOf(cause) ?? String(cause);
  const what = `The file could not be read (${code}).`;
  if (environmental.has(code)) {
    const advice = 'Nothing was changed. Give this process the rights or the open files it needs, and start it again.';
    return new StorageRefused({ what, where: path, advice, cause });
  }
  return new DamagedStorage({ what, where: path, advice: damageAdvice, cause });
}
