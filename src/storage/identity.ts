import { open, readdir, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32c } from '../base/checksum.ts';
import type { MemberId } from '../raft/types.ts';
import { DamagedStorage, damageAdvice, StorageRefused, unreadable } from './errors.ts';
import { parseObject } from './log-records.ts';
import { ensurePrivateDirectory } from './open-database.ts';
import { isMissing, refuseLooseMode, syncDirectory } from './private-files.ts';

/** Whose data directory this is. */
export interface Identity {
  readonly clusterId: string;
  readonly memberId: MemberId;
  /** The member's name when the directory was made. */
  readonly name: string;
  /** Of the cluster that was founded with this directory; absent if it was joined or restored, or before 0.2. */
  readonly token?: string | undefined;
}

const formatVersion = 1;
export const identityFile = 'identity.json';
/** In a data directory whose state is being made anew; see `beginRebuild`. */
export const rebuildDirectory = 'rebuilding';

/**
 * Reads the identity of a data directory, or makes directory and identity if there is none. Rejects with
 * `StorageRefused` if it is another cluster's or member's, and with `DamagedStorage` if the identity is damaged, or
 * missing beside data.
 */
export async function openIdentity(dataDir: string, wanted: Identity): Promise<Identity> {
  await ensurePrivateDirectory(dataDir);
  const found = await readIdentity(dataDir);
  if (found === undefined) return createIdentity(dataDir, wanted);
  if (found.clusterId === wanted.clusterId && found.memberId === wanted.memberId) return found;
  throw new StorageRefused({
    what:
      `The data directory belongs to member ${found.memberId} (${found.name}) of cluster ${found.clusterId}, ` +
      `not to member ${wanted.memberId} (${wanted.name}) of cluster ${wanted.clusterId}.`,
    where: dataDir,
    advice: 'Nothing was changed. Give each member a data directory of its own.',
  });
}

/** The identity that is there; `undefined` for a directory that is not there or empty. Changes nothing. */
export async function readIdentity(dataDir: string): Promise<Identity | undefined> {
  const path = join(dataDir, identityFile);
  let text: string;
  try {
    refuseLooseMode(path, await stat(path));
    text = await readFile(path, 'utf8');
  } catch (reason) {
    if (reason instanceof StorageRefused) throw reason;
    if (!isMissing(reason)) throw unreadable(path, reason);
    await refuseStrayData(dataDir);
    return undefined;
  }
  const identity = parseIdentity(text);
  if (identity === undefined) throw damage(path, 'The file is damaged.');
  if ('unknownVersion' in identity) {
    throw new StorageRefused({
      what: `The data directory has the format ${identity.unknownVersion}; this version of Balsa reads ${formatVersion}.`,
      where: path,
      advice: 'Start the version of Balsa that wrote it.',
    });
  }
  return identity;
}

/** The identity is made first of all, so anything but its own unfinished file says that it was lost. */
async function refuseStrayData(dataDir: string): Promise<void> {
  let names: string[];
  try {
    names = await readdir(dataDir);
  } catch (reason) {
    if (isMissing(reason)) return;
    throw unreadable(dataDir, reason);
  }
  const found = names.filter((name) => name !== `${identityFile}.new` && name !== 'lost+found');
  if (found.length === 0) return;
  if (found.includes(rebuildDirectory)) {
    throw new StorageRefused({
      what: 'A restore or a recovery into this directory was cut off.',
      where: dataDir,
      advice: 'Run it again, with the same options: it goes on, or begins anew.',
    });
  }
  const shown = found.slice(0, 5).join(', ');
  throw damage(
    dataDir,
    `There is no ${identityFile}, but there are other files (${shown}): it was lost, or this is no data directory.`,
  );
}

/** Whole or not at all, whenever the machine stops. */
export async function createIdentity(dataDir: string, given: Identity): Promise<Identity> {
  const { clusterId, memberId, name, token } = given;
  const identity: Identity = { clusterId, memberId, name, ...(token !== undefined && { token }) };
  const temporary = join(dataDir, `${identityFile}.new`);
  const handle = await open(temporary, 'w', 0o600);
  try {
    await handle.writeFile(format(identity));
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, join(dataDir, identityFile));
  await syncDirectory(dataDir);
  return identity;
}

function format(identity: Identity): string {
  const { clusterId, memberId, name, token } = identity;
  // Software from before the token passes over its two fields.
  const founding = token !== undefined && { token, tokenChecksum: checksumOf(identity, [token]) };
  const fields = { formatVersion, clusterId, memberId, name, checksum: checksumOf(identity), ...founding };
  return `${JSON.stringify(fields, undefined, 2)}\n`;
}

/** `undefined` if the text is damaged, only the version if it is of another format. Never throws. */
export function parseIdentity(text: string): Identity | { readonly unknownVersion: number } | undefined {
  const parsed = parseObject(text);
  if (parsed === undefined) return undefined;
  const { clusterId, memberId, name, checksum, token, tokenChecksum } = parsed;
  if (typeof parsed['formatVersion'] === 'number' && parsed['formatVersion'] > formatVersion) {
    return { unknownVersion: parsed['formatVersion'] };
  }
  if (typeof clusterId !== 'string' || typeof memberId !== 'string' || typeof name !== 'string') return undefined;
  const identity: Identity = { clusterId, memberId, name };
  if (parsed['formatVersion'] !== formatVersion || checksum !== checksumOf(identity)) return undefined;
  if (token === undefined && tokenChecksum === undefined) return identity;
  const isWhole = typeof token === 'string' && tokenChecksum === checksumOf(identity, [token]);
  return isWhole ? { ...identity, token } : undefined;
}

/** Over the values, so that an editor which only lays the text out anew does no harm. */
function checksumOf({ clusterId, memberId, name }: Identity, more: readonly string[] = []): string {
  return crc32c(Buffer.from(JSON.stringify([formatVersion, clusterId, memberId, name, ...more])))
    .toString(16)
    .padStart(8, '0');
}

function damage(where: string, what: string): DamagedStorage {
  return new DamagedStorage({ what, where, advice: damageAdvice });
}
