import { constants, type Stats } from 'node:fs';
import { copyFile, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, DamagedStorage, damageAdvice, StorageRefused, unreadable } from './errors.ts';
import { type JournalScan, JournalScanner, type JournalScanOptions, journalBlockBytes } from './journal-scan.ts';
import { applyVersionEdit, emptyManifest, type Manifest } from './leveldb-manifest.ts';

/** What a look at the files of a LevelDB directory found. */
export interface Inspection {
  /** Names of journals with something unreadable at their end. */
  readonly tornJournals: readonly string[];
}

/**
 * Reads a LevelDB directory before LevelDB does, because LevelDB skips what it cannot read, rewrites the rest and
 * deletes the evidence. Rejects with `DamagedStorage` (or `StorageRefused` if this process lacks a right) unless
 * every file that the database needs is there, whole and readable; a copy of a damaged or torn journal stays beside it.
 */
export async function inspectDirectory(directory: string): Promise<Inspection> {
  const files = await listFiles(directory);
  const manifestName = await readCurrent(directory, files);
  if (manifestName === undefined) return { tornJournals: [] };
  const manifest = await readManifest(join(directory, manifestName));
  await checkTables(directory, files, manifest);
  return { tornJournals: await checkJournals(directory, files, manifest) };
}

interface Files {
  readonly names: ReadonlySet<string>;
  /** Number to name. */
  readonly tables: ReadonlyMap<number, string>;
  readonly journals: ReadonlyMap<number, string>;
}

async function listFiles(directory: string): Promise<Files> {
  const names = new Set(await reading(directory, readdir(directory)));
  const tables = new Map<number, string>();
  const journals = new Map<number, string>();
  for (const name of names) {
    const [, number, ending] = /^(\d+)\.(ldb|sst|log)$/.exec(name) ?? [];
    if (number !== undefined) (ending === 'log' ? journals : tables).set(Number(number), name);
  }
  return { names, tables, journals };
}

/** The name of the manifest; `undefined` if the database was never created to its end. */
async function readCurrent(directory: string, { names, tables, journals }: Files): Promise<string | undefined> {
  const path = join(directory, 'CURRENT');
  if (!names.has('CURRENT')) {
    // LevelDB would make a new database here and remove what it does not know.
    if (tables.size + journals.size === 0) return undefined;
    throw damage(path, 'The file is missing although the directory holds a database.');
  }
  const text = await reading(path, readFile(path, 'latin1'));
  const name = /^(MANIFEST-\d+)\n$/.exec(text)?.[1];
  if (name === undefined) throw damage(path, 'The file does not name a manifest.');
  if (!names.has(name)) throw damage(path, `The manifest ${name} that it names is missing.`);
  return name;
}

async function readManifest(path: string): Promise<Manifest> {
  const manifest = emptyManifest();
  let isReadable = true;
  const onRecord = (edit: Buffer): void => {
    isReadable &&= applyVersionEdit(manifest, edit);
  };
  const scan = await scanFile(path, { content: 'versionEdits', onRecord });
  // A torn end is an edit that a crash cut off; what it would have made obsolete is still there.
  if (scan.state === 'damaged') throw damage(path, describeScan(scan));
  if (!isReadable) throw damage(path, 'It holds a version edit that cannot be read.');
  if (manifest.nextFileNumber === undefined) throw damage(path, 'It says nothing about the files of the database.');
  return manifest;
}

async function checkTables(directory: string, files: Files, manifest: Manifest): Promise<void> {
  for (const [number, size] of manifest.tables) {
    const name = files.tables.get(number);
    if (name === undefined) throw damage(directory, `The table ${number} is missing.`);
    const path = join(directory, name);
    const stats: Stats = await reading(path, stat(path));
    if (stats.size !== size) throw damage(path, `The table has ${stats.size} bytes; it was written with ${size}.`);
  }
}

async function checkJournals(directory: string, files: Files, manifest: Manifest): Promise<string[]> {
  const { logNumber, previousLogNumber } = manifest;
  // 0 in the manifest of a database that has just been created.
  if (logNumber > 0 && !files.journals.has(logNumber)) throw damage(directory, `The journal ${logNumber} is missing.`);
  const live = [...files.journals].filter(([number]) => number >= logNumber || number === previousLogNumber);
  const torn: string[] = [];
  let nextSequence: number | undefined;
  for (const [, name] of live.sort(([a], [b]) => a - b)) {
    const path = join(directory, name);
    const scan = await scanFile(path, { content: 'batches', nextSequence });
    if (scan.state === 'damaged') {
      await keepCopy(path, 'damaged');
      throw damage(path, describeScan(scan));
    }
    // Each write is durable before the next one, so only the very last may have been cut off.
    const tornBefore = torn[0];
    if (tornBefore !== undefined && scan.records > 0) {
      await keepCopy(join(directory, tornBefore), 'damaged');
      throw damage(join(directory, tornBefore), `Its end cannot be read although ${name} was written after it.`);
    }
    if (scan.state === 'torn') torn.push(name);
    nextSequence = scan.nextSequence;
  }
  for (const name of torn) await keepTornCopy(directory, files, name);
  return torn;
}

/**
 * LevelDB deletes the journal, and whether its end was ever acknowledged is only known later. One such copy is enough:
 * a journal is torn by a write, so an older copy belongs to an opening that has been verified since.
 */
async function keepTornCopy(directory: string, { names }: Files, name: string): Promise<void> {
  await keepCopy(join(directory, name), 'torn');
  for (const old of names) {
    if (/^\d+\.log\.torn$/.test(old) && old !== `${name}.torn`) await rm(join(directory, old), { force: true });
  }
}

/** LevelDB leaves files alone whose names it does not know. A copy from an earlier start stays. */
async function keepCopy(path: string, ending: 'damaged' | 'torn'): Promise<void> {
  try {
    await copyFile(path, `${path}.${ending}`, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  } catch (reason) {
    // A damaged journal is not touched anyway; a torn one LevelDB will delete.
    if (codeOf(reason) === 'EEXIST' || ending === 'damaged') return;
    throw new StorageRefused({
      what: `The end of the journal cannot be read, and no copy of it can be made (${codeOf(reason)}).`,
      where: path,
      advice: 'Free some space on the disk, and start this member again.',
      cause: reason,
    });
  }
}

async function scanFile(path: string, options: JournalScanOptions): Promise<JournalScan> {
  const scanner = new JournalScanner(options);
  const handle = await reading(path, open(path, 'r'));
  try {
    const buffer = Buffer.alloc(32 * journalBlockBytes);
    for (let isAtEnd = false; !isAtEnd; ) {
      let length = 0;
      while (length < buffer.length && !isAtEnd) {
        const { bytesRead } = await reading(path, handle.read(buffer, length, buffer.length - length));
        length += bytesRead;
        isAtEnd = bytesRead === 0;
      }
      for (let at = 0; at < length; at += journalBlockBytes) {
        scanner.push(buffer.subarray(at, Math.min(at + journalBlockBytes, length)));
      }
    }
  } finally {
    await handle.close();
  }
  return scanner.finish();
}

function describeScan({ problem, records }: JournalScan): string {
  const where = problem === undefined ? '' : ` at byte ${problem.offset}: ${problem.what}`;
  return `The file is damaged${where}. ${records} records before it are intact, and later writes stand behind it.`;
}

async function reading<T>(path: string, result: Promise<T>): Promise<T> {
  try {
    return await result;
  } catch (reason) {
    throw unreadable(path, reason);
  }
}

function damage(where: string, what: string): DamagedStorage {
  return new DamagedStorage({ what, where, advice: damageAdvice });
}
