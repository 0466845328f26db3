import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, StorageRefused } from './errors.ts';
import { createIdentity, type Identity, identityFile, readIdentity, rebuildDirectory } from './identity.ts';
import { ensurePrivateDirectory } from './open-database.ts';
import { isMissing, syncDirectory } from './private-files.ts';

/** What a member's state consists of, and what a snapshot leaves beside it. */
const parts = ['log', 'data', 'receipt', 'data.incoming', 'data.replaced'] as const;

/** A state for a data directory in the making: of a restored or recovered member. */
export interface RebuiltDirectory {
  /** Where `log/`, `data/` and `receipt` are to be made. */
  readonly path: string;
  /**
   * They are complete, and closed. They take the place of what the data directory held, which is kept beside them;
   * resolves with where, or with `undefined` if it held nothing. Cut off, it is gone on with by `resumeRebuild`.
   */
  complete(identity: Identity): Promise<string | undefined>;
  /** Nothing was changed. Harmless once `complete` was called: what it began cannot be taken back. */
  discard(): Promise<void>;
}

/**
 * Begins a state that takes the place of a data directory's in the end:
 *
 *     rebuilding/…             made, and its identity last: the point of no return
 *     identity.json ─────────▶ rebuilding/replaced/    from here on nobody can start with a mixture
 *     log data receipt ──────▶ rebuilding/replaced/    one after the other with
 *     rebuilding/log … ──────▶ log …
 *     rebuilding/identity.json ─▶ identity.json        done
 */
export async function beginRebuild(dataDir: string): Promise<RebuiltDirectory> {
  await ensurePrivateDirectory(dataDir);
  const path = join(dataDir, rebuildDirectory);
  await changing(path, rm(path, { recursive: true, force: true }));
  await changing(path, mkdir(path, { mode: 0o700 }));
  let isDecided = false;
  return {
    path,
    complete: async (identity) => {
      isDecided = true;
      await createIdentity(path, identity);
      await syncDirectory(dataDir);
      return await changing(dataDir, moveIn(dataDir, path));
    },
    discard: async () => {
      if (!isDecided) await changing(path, rm(path, { recursive: true, force: true }));
    },
  };
}

/**
 * Finishes what was cut off behind the point of no return. Resolves with the identity of what is there now; `undefined` if
 * there was nothing to finish.
 */
export async function resumeRebuild(dataDir: string): Promise<Identity | undefined> {
  const path = join(dataDir, rebuildDirectory);
  if (!(await isRebuildCutOff(dataDir))) return undefined;
  await changing(dataDir, moveIn(dataDir, path));
  return await readIdentity(dataDir);
}

/** Whether there is something to finish; until then it is nobody's directory. */
export async function isRebuildCutOff(dataDir: string): Promise<boolean> {
  return (await exists(join(dataDir, rebuildDirectory, identityFile))) && !(await exists(join(dataDir, identityFile)));
}

/** Rejects with `StorageRefused` unless there is nothing in the directory, or no such directory. */
export async function refuseFilledDirectory(dataDir: string): Promise<void> {
  let names: string[];
  try {
    names = await readdir(dataDir);
  } catch (reason) {
    if (isMissing(reason)) return;
    throw refused(dataDir, `It cannot be read (${codeOf(reason) ?? String(reason)}).`, reason);
  }
  const found = names.filter((name) => name !== 'lost+found' && name !== rebuildDirectory);
  if (found.length === 0) return;
  throw refused(dataDir, `The data directory is not empty (${found.slice(0, 5).join(', ')}).`, undefined);
}

async function moveIn(dataDir: string, path: string): Promise<string | undefined> {
  const replaced = join(path, 'replaced');
  await mkdir(replaced, { recursive: true, mode: 0o700 });
  await move(join(dataDir, identityFile), join(replaced, identityFile));
  await syncDirectory(dataDir);
  for (const part of parts) {
    const isOld = part !== 'log' && part !== 'data' && part !== 'receipt';
    if (!isOld && !(await exists(join(path, part)))) continue;
    await move(join(dataDir, part), join(replaced, part));
    await move(join(path, part), join(dataDir, part));
  }
  for (const directory of [replaced, path, dataDir]) await syncDirectory(directory);
  const kept = (await readdir(replaced)).length > 0 ? await keep(dataDir, replaced) : undefined;
  await move(join(path, identityFile), join(dataDir, identityFile));
  await syncDirectory(dataDir);
  await rm(path, { recursive: true, force: true });
  return kept;
}

async function keep(dataDir: string, replaced: string): Promise<string> {
  const names = new Set(await readdir(dataDir));
  let number = 1;
  while (names.has(`replaced-${number}`)) number++;
  const kept = join(dataDir, `replaced-${number}`);
  await rename(replaced, kept);
  await syncDirectory(dataDir);
  return kept;
}

/** Harmless if nothing is there: it was moved before. */
async function move(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (reason) {
    if (!isMissing(reason)) throw reason;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (reason) {
    if (isMissing(reason)) return false;
    throw reason;
  }
}

async function changing<T>(where: string, change: Promise<T>): Promise<T> {
  try {
    return await change;
  } catch (cause) {
    if (cause instanceof StorageRefused) throw cause;
    throw refused(where, `It cannot be changed (${codeOf(cause) ?? String(cause)}).`, cause);
  }
}

function refused(where: string, what: string, cause: unknown): StorageRefused {
  const advice = 'Name a directory that this process may write to, and that holds nothing else.';
  return new StorageRefused({ what, where, advice, cause });
}
