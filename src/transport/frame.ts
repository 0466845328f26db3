import { crc32c } from '../base/checksum.ts';

/** Length and checksum of the body, both unsigned, 32 bits, big-endian. */
export const frameHeaderBytes = 8;

/** What is set aside for a body before any of it has come; more only once that much is there. */
const firstAllocationBytes = 64 * 1024;

const nothing = Buffer.alloc(0);

/** Fills in the header of a frame whose body stands behind the space for it. */
export function sealFrame(frame: Buffer): Buffer {
  frame.writeUInt32BE(frame.length - frameHeaderBytes, 0);
  frame.writeUInt32BE(crc32c(frame, 0, frameHeaderBytes), 4);
  return frame;
}

/**
 * Cuts a byte stream into the bodies of frames.
 *
 * - A declared length above the limit fails before anything of it is kept, and memory follows what has arrived, not
 *   what was declared.
 * - A body is a buffer of its own, so that what is kept of it, such as log entries, holds on to nothing else.
 */
export class FrameReader {
  /** May be raised between two frames, as after a handshake. */
  bodyBytesMax: number;
  #chunk: Buffer = nothing;
  readonly #header = Buffer.alloc(frameHeaderBytes);
  #headerLength = 0;
  #body: Buffer | undefined;
  #bodyLength = 0;

  constructor(bodyBytesMax: number) {
    this.bodyBytesMax = bodyBytesMax;
  }

  /** Adds what was read. Everything of the chunk before it must have been taken. */
  feed(chunk: Buffer): void {
    this.#chunk = chunk;
  }

  /** The next body; `undefined` when more input is needed; a reason, in words, if this cannot be read any further. */
  next(): Buffer | string | undefined {
    if (this.#headerLength < frameHeaderBytes && !this.#readHeader()) return this.#needsMore();
    const length = this.#header.readUInt32BE(0);
    if (this.#body === undefined && length > this.bodyBytesMax) {
      return `a frame of ${length} bytes was announced, ${this.bodyBytesMax} are allowed`;
    }
    if (!this.#readBody(length)) return this.#needsMore();
    const body = this.#body ?? nothing;
    this.#body = undefined;
    this.#bodyLength = 0;
    this.#headerLength = 0;
    return crc32c(body) === this.#header.readUInt32BE(4) ? body : 'a frame does not have the checksum it came with';
  }

  /** What was read is taken: lets go of its memory. */
  #needsMore(): undefined {
    this.#chunk = nothing;
  }

  #readHeader(): boolean {
    const taken = this.#chunk.copy(this.#header, this.#headerLength, 0, frameHeaderBytes - this.#headerLength);
    this.#headerLength += taken;
    this.#chunk = this.#chunk.subarray(taken);
    return this.#headerLength === frameHeaderBytes;
  }

  #readBody(length: number): boolean {
    const arriving = Math.min(length - this.#bodyLength, this.#chunk.length);
    const body = this.#roomFor(this.#bodyLength + arriving, length);
    this.#chunk.copy(body, this.#bodyLength, 0, arriving);
    this.#bodyLength += arriving;
    this.#chunk = this.#chunk.subarray(arriving);
    return this.#bodyLength === length;
  }

  /** Doubles, so that a body that comes in many pieces is copied twice at most, and ends at its exact length. */
  #roomFor(needed: number, length: number): Buffer {
    const present = this.#body;
    if (present !== undefined && present.length >= needed) return present;
    const wanted = Math.max(needed, firstAllocationBytes, 2 * (present?.length ?? 0));
    const body = Buffer.allocUnsafeSlow(Math.min(length, wanted));
    present?.copy(body, 0, 0, this.#bodyLength);
    this.#body = body;
    return body;
  }
}
