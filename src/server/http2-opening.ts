import { mendAuthority } from './mend-authority.ts';

const prefaceBytes = 24;
const headBytes = 9;
/** Of what is looked at before the first request. */
const openingBytesMax = 64 * 1024;

const types = { headers: 1, priority: 2, settings: 4, windowUpdate: 8 } as const;
const flags = { ack: 1, endHeaders: 4, padded: 8, priority: 0x20 } as const;

/** An empty SETTINGS frame: clients that wait for the server's before their first request need wait no longer. */
const emptySettings = Buffer.from([0, 0, 0, types.settings, 0, 0, 0, 0, 0]);

/**
 * The beginning of an HTTP/2 connection, up to the headers of its first request, whose `:authority` is mended. Everything behind
 * goes to the HTTP/2 server untouched.
 */
export class Http2Opening {
  readonly #send: (bytes: Buffer) => void;
  #bytes: Buffer = Buffer.alloc(0);
  #at = prefaceBytes;
  #hasSentSettings = false;
  /** The client has acknowledged our SETTINGS; the server, which knows nothing of them, must not see that. */
  #isAcknowledged = false;
  #hasHeaders = false;

  constructor(send: (bytes: Buffer) => void) {
    this.#send = send;
  }

  /** What the HTTP/2 server shall see of it all, once that is known. */
  push(chunk: Buffer): Buffer | undefined {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    while (!this.#hasHeaders || this.#awaitsAcknowledgement) {
      const length = this.#frameBytes();
      if (length === undefined) break;
      this.#look(length);
    }
    if ((this.#hasHeaders && !this.#awaitsAcknowledgement) || this.#bytes.length > openingBytesMax) return this.#bytes;
    if (!this.#hasHeaders && !this.#hasSentSettings && this.#at > prefaceBytes) {
      this.#hasSentSettings = true;
      this.#send(emptySettings);
    }
    return undefined;
  }

  /** What has come so far, as the server may see it. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  /** Nothing is outstanding that the server must not see. */
  get isAnswered(): boolean {
    return !this.#awaitsAcknowledgement;
  }

  get #awaitsAcknowledgement(): boolean {
    return this.#hasSentSettings && !this.#isAcknowledged;
  }

  /** Of the next frame, if all of it is there. */
  #frameBytes(): number | undefined {
    if (this.#bytes.length < this.#at + headBytes) return undefined;
    const length = headBytes + this.#bytes.readUIntBE(this.#at, 3);
    return this.#bytes.length < this.#at + length ? undefined : length;
  }

  #look(length: number): void {
    const [start, end] = [this.#at, this.#at + length];
    const type = this.#bytes[start + 3];
    const flag = this.#bytes[start + 4] as number;
    this.#at = end;
    if (type === types.settings && flag & flags.ack && this.#awaitsAcknowledgement) {
      this.#isAcknowledged = true;
      this.#replace(start, end, Buffer.alloc(0));
    } else if (type === types.headers && !this.#hasHeaders) {
      this.#hasHeaders = true;
      if ((flag & (flags.endHeaders | flags.padded)) === flags.endHeaders) this.#mend(start, end, flag);
    } else if (type !== types.settings && type !== types.priority && type !== types.windowUpdate) {
      // Whatever it is, it is not for us.
      this.#hasHeaders = true;
    }
  }

  #mend(start: number, end: number, flag: number): void {
    const blockAt = start + headBytes + (flag & flags.priority ? 5 : 0);
    const block = this.#bytes.subarray(blockAt, end);
    const mended = mendAuthority(block);
    if (mended === block) return;
    const frame = Buffer.concat([this.#bytes.subarray(start, blockAt), mended]);
    frame.writeUIntBE(frame.length - headBytes, 0, 3);
    this.#replace(start, end, frame);
  }

  #replace(start: number, end: number, by: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes.subarray(0, start), by, this.#bytes.subarray(end)]);
    this.#at = start + by.length;
  }
}
