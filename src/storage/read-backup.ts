import {
  type BackupManifest,
  backupChunkBytes,
  backupFormatVersion,
  backupMagic,
  decodeManifest,
  digestBytes,
  frameHeadBytes,
  frameKinds,
  manifestBytesMax,
  paddingUnit,
  sha256,
  trailerBytes,
} from './backup-format.ts';

/** The backup is cut off or altered, or is none. Nothing of it may be used. */
export class BackupDamaged extends Error {
  override readonly name = 'BackupDamaged';
  /** Byte of the file where it shows; what is wrong lies in the frame that begins or goes on there. */
  readonly at: number;

  constructor(problem: string, at: number) {
    super(`The backup cannot be used: ${problem} (at byte ${at}). Nothing was restored; take another one.`);
    this.at = at;
  }
}

export interface BackupReader {
  readonly manifest: BackupManifest;
  /**
   * The data, once. It is the whole of it, and what was written, only when the iteration has ended by itself: until then
   * nothing may take the place of anything. Throws `BackupDamaged`.
   */
  readonly chunks: AsyncGenerator<Buffer, void, void>;
}

/** Reads and checks a backup; holds one frame of it at a time. Rejects with `BackupDamaged`. */
export async function readBackup(source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<BackupReader> {
  const frames = new FrameReader(source);
  try {
    return { manifest: await readManifest(frames), chunks: readChunks(frames) };
  } catch (reason) {
    await frames.close();
    throw reason;
  }
}

async function readManifest(frames: FrameReader): Promise<BackupManifest> {
  const magic = await frames.take(backupMagic.length, 'its beginning');
  if (!magic.equals(backupMagic)) throw new BackupDamaged('it does not begin as one', 0);
  const format = (await frames.take(1, 'its format'))[0];
  if (format !== backupFormatVersion) {
    const what = `it has the format ${format}, and this version of Balsa reads ${backupFormatVersion}`;
    throw new BackupDamaged(what, backupMagic.length);
  }
  const frame = await frames.next();
  const manifest = frame.kind === frameKinds.manifest ? decodeManifest(frame.body) : undefined;
  if (manifest === undefined) throw new BackupDamaged('it has no manifest', frame.at);
  return manifest;
}

async function* readChunks(frames: FrameReader): AsyncGenerator<Buffer, void, void> {
  let chunks = 0;
  let bytes = 0;
  try {
    for (let frame = await frames.next(); ; frame = await frames.next()) {
      if (frame.kind === frameKinds.manifest) throw new BackupDamaged('it has two manifests', frame.at);
      if (frame.kind === frameKinds.trailer) {
        if (frame.body.subarray(trailerBytes).some((byte) => byte !== 0)) {
          throw new BackupDamaged('its end holds more than an end does', frame.at);
        }
        const counted = [frame.body.readBigUInt64BE(0), frame.body.readBigUInt64BE(8)];
        if (counted[0] !== BigInt(chunks) || counted[1] !== BigInt(bytes)) {
          throw new BackupDamaged('it does not have as many chunks as its end says', frame.at);
        }
        await frames.end();
        return;
      }
      chunks++;
      bytes += frame.body.length;
      yield frame.body;
    }
  } finally {
    await frames.close();
  }
}

interface Frame {
  readonly kind: number;
  readonly body: Buffer;
  /** Where it begins. */
  readonly at: number;
}

/** Cuts a stream into frames and checks each, whatever pieces the stream comes in. */
class FrameReader {
  readonly #source: AsyncIterator<Uint8Array> | Iterator<Uint8Array>;
  readonly #hash = sha256();
  #pieces: Buffer[] = [];
  #bytes = 0;
  #at = 0;

  constructor(source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) {
    this.#source = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  }

  async next(): Promise<Frame> {
    const at = this.#at;
    const head = await this.take(frameHeadBytes, 'a frame');
    const kind = head.readUInt8(0);
    const length = head.readUInt32BE(1);
    if (!isPossible(kind, length)) throw new BackupDamaged(`there is no frame of kind ${kind} and ${length} bytes`, at);
    const body = await this.take(length, 'a frame');
    const expected = this.#hash.copy().digest();
    const found = await this.#read(digestBytes, 'a checksum');
    if (!found.equals(expected)) throw new BackupDamaged('a checksum does not fit', at);
    this.#hash.update(found);
    return { kind, body, at };
  }

  /** So many bytes, which count for the checksum. */
  async take(length: number, what: string): Promise<Buffer> {
    const bytes = await this.#read(length, what);
    this.#hash.update(bytes);
    return bytes;
  }

  async end(): Promise<void> {
    if (this.#bytes > 0 || (await this.#more())) throw new BackupDamaged('something follows its end', this.#at);
  }

  /** The source is told that nothing more is wanted of it. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }

  async #read(length: number, what: string): Promise<Buffer> {
    while (this.#bytes < length) {
      if (!(await this.#more())) throw new BackupDamaged(`it is cut off within ${what}`, this.#at + this.#bytes);
    }
    const all = this.#pieces.length === 1 ? (this.#pieces[0] as Buffer) : Buffer.concat(this.#pieces);
    this.#pieces = [all.subarray(length)];
    this.#bytes -= length;
    this.#at += length;
    return all.subarray(0, length);
  }

  /** False at the end of the stream. */
  async #more(): Promise<boolean> {
    for (;;) {
      const { done, value } = await this.#source.next();
      if (done === true) return false;
      if (value.length === 0) continue;
      this.#pieces.push(Buffer.from(value.buffer, value.byteOffset, value.byteLength));
      this.#bytes += value.length;
      return true;
    }
  }
}

function isPossible(kind: number, length: number): boolean {
  if (kind === frameKinds.manifest) return length > 0 && length <= manifestBytesMax;
  if (kind === frameKinds.chunk) return length > 0 && length <= backupChunkBytes;
  return kind === frameKinds.trailer && length >= trailerBytes && length <= trailerBytes + paddingUnit;
}
