import { createReadStream } from 'node:fs';
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type BackupManifest, readBackup } from '../storage/index.ts';

/** Bytes so far, and of how many: about, while they are received; 0 if that is not known. */
export type FileProgress = (done: number, total: number) => void;

export interface BackupFile {
  readonly manifest: BackupManifest;
  /** Of the whole file. */
  readonly bytes: number;
}

/**
 * Writes a backup to a file as it comes, checking every byte, and gives it its name when it is whole and on the disk. What
 * had that name before is there until then. Rejects with `BackupDamaged` and what `chunks` rejects with; nothing is left
 * then.
 */
export async function saveBackup(
  path: string,
  chunks: AsyncIterable<Uint8Array>,
  onProgress: FileProgress = () => {},
): Promise<BackupFile> {
  const partial = `${path}.${process.pid}.partial`;
  // Values are in there, which are nobody else's.
  const file = await open(partial, 'wx', 0o600);
  try {
    const written = new WrittenChunks(chunks, file);
    const { manifest, chunks: data } = await readBackup(written);
    for await (const _ of data) onProgress(written.bytes, Math.max(written.bytes, manifest.bytesExpected));
    await file.sync();
    await file.close();
    await rename(partial, path);
    await syncDirectoryOf(path);
    return { manifest, bytes: written.bytes };
  } catch (reason) {
    await file.close();
    await rm(partial, { force: true });
    throw reason;
  }
}

/** Reads a backup through and checks it. Rejects with `BackupDamaged`. */
export async function inspectBackup(path: string, onProgress?: FileProgress): Promise<BackupFile> {
  const { size } = await stat(path);
  const { manifest, chunks } = await readBackup(readFileChunks(path, onProgress));
  for await (const _ of chunks) {
    // The checks are in the reading.
  }
  return { manifest, bytes: size };
}

/** The bytes of a file; `-` is standard input, of which the total is not known: 0. */
export async function* readFileChunks(
  path: string,
  onProgress: FileProgress = () => {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const isInput = path === '-';
  const total = isInput ? 0 : (await stat(path)).size;
  const source: AsyncIterable<Buffer> = isInput ? process.stdin : createReadStream(path, { highWaterMark: readBytes });
  let done = 0;
  for await (const chunk of source) {
    done += chunk.length;
    onProgress(done, total);
    yield chunk;
  }
}

const readBytes = 256 * 1024;

/** Passes chunks on once they are written. */
class WrittenChunks implements AsyncIterable<Uint8Array> {
  bytes = 0;
  readonly #chunks: AsyncIterable<Uint8Array>;
  readonly #file: FileHandle;

  constructor(chunks: AsyncIterable<Uint8Array>, file: FileHandle) {
    this.#chunks = chunks;
    this.#file = file;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of this.#chunks) {
      await this.#file.appendFile(chunk);
      this.bytes += chunk.length;
      yield chunk;
    }
  }
}

/** Makes the renaming durable. */
async function syncDirectoryOf(path: string): Promise<void> {
  const directory = await open(dirname(path), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
