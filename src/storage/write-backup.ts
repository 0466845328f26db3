import {
  type BackupManifest,
  backupChunkBytes,
  backupFormatVersion,
  backupMagic,
  encodeManifest,
  frameHeadBytes,
  frameKinds,
  paddingUnit,
  sha256,
  trailerBytes,
} from './backup-format.ts';

/** Where a backup's data comes from: a `StoreExport`. */
export interface BackupSource {
  /** `undefined` at the end. */
  next(bytesMax: number): Promise<Buffer | undefined>;
}

/**
 * The frames of a backup, one at a time: the manifest, chunks of the data, the trailer. Reads ahead nothing, so whoever
 * takes them sets the pace. The source is closed by whoever opened it.
 */
export async function* writeBackup(source: BackupSource, manifest: BackupManifest): AsyncGenerator<Buffer, void, void> {
  const hash = sha256();
  let length = 0;
  const seal = (...parts: readonly Buffer[]): Buffer => {
    for (const part of parts) hash.update(part);
    const digest = hash.copy().digest();
    hash.update(digest);
    const frame = Buffer.concat([...parts, digest]);
    length += frame.length;
    return frame;
  };
  const encoded = encodeManifest(manifest);
  const first = Buffer.concat([backupMagic, Buffer.of(backupFormatVersion)]);
  yield seal(first, frameHead(frameKinds.manifest, encoded.length), encoded);
  let chunks = 0;
  let bytes = 0;
  for (
    let chunk = await source.next(backupChunkBytes);
    chunk !== undefined;
    chunk = await source.next(backupChunkBytes)
  ) {
    yield seal(frameHead(frameKinds.chunk, chunk.length), chunk);
    chunks++;
    bytes += chunk.length;
  }
  const unpadded = length + frameHeadBytes + trailerBytes;
  const counts = Buffer.alloc(trailerBytes + (paddingUnit - (unpadded % paddingUnit)));
  counts.writeBigUInt64BE(BigInt(chunks), 0);
  counts.writeBigUInt64BE(BigInt(bytes), 8);
  yield seal(frameHead(frameKinds.trailer, counts.length), counts);
}

function frameHead(kind: number, length: number): Buffer {
  const head = Buffer.alloc(frameHeadBytes);
  head.writeUInt8(kind, 0);
  head.writeUInt32BE(length, 1);
  return head;
}
