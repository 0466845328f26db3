import { EtcdError } from '../status.ts';

export const prefixBytes = 5;

/** Writes gRPC's prefix into the bytes that were left free for it: not compressed, and how long the message is. */
export function setPrefix(frame: Uint8Array): Uint8Array {
  const length = frame.length - prefixBytes;
  frame[1] = length >>> 24;
  frame[2] = length >>> 16;
  frame[3] = length >>> 8;
  frame[4] = length;
  return frame;
}

/**
 * Cuts what a client sends into messages (gRPC over HTTP/2, "Length-Prefixed-Message").
 *
 * **Invariant:** it never holds more than one message of the largest size, and one chunk.
 */
export class FrameReader {
  readonly #messageBytesMax: number;
  #chunks: Buffer[] = [];
  #bytes = 0;
  /** Until which nothing can be read. */
  #wanted = prefixBytes;

  constructor(messageBytesMax: number) {
    this.#messageBytesMax = messageBytesMax;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
  }

  /** The next message, if it is complete; a view. Throws `EtcdError` for one that is refused. */
  next(): Buffer | undefined {
    if (this.#bytes < this.#wanted) return undefined;
    const bytes = this.#joined();
    if (bytes[0] !== 0) {
      // No encoding but identity is offered, so no client may compress.
      throw new EtcdError('UNIMPLEMENTED', 'grpc: the message is compressed; Balsa takes identity only');
    }
    const length = bytes.readUInt32BE(1);
    if (length > this.#messageBytesMax) {
      throw new EtcdError(
        'RESOURCE_EXHAUSTED',
        `grpc: received message larger than max (${length} vs. ${this.#messageBytesMax})`,
      );
    }
    const end = prefixBytes + length;
    if (bytes.length < end) {
      this.#wanted = end;
      return undefined;
    }
    this.#wanted = prefixBytes;
    this.#bytes = bytes.length - end;
    this.#chunks = this.#bytes === 0 ? [] : [bytes.subarray(end)];
    return bytes.subarray(prefixBytes, end);
  }

  /** Something that is no complete message is left. */
  get isWithinMessage(): boolean {
    return this.#bytes > 0;
  }

  #joined(): Buffer {
    const [first] = this.#chunks;
    if (this.#chunks.length === 1 && first !== undefined) return first;
    const joined = Buffer.concat(this.#chunks, this.#bytes);
    this.#chunks = [joined];
    return joined;
  }
}
