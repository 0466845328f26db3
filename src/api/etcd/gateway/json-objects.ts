import { EtcdError } from '../status.ts';

const quote = 0x22;
const backslash = 0x5c;
const open = new Set([0x7b, 0x5b]);
const close = new Set([0x7d, 0x5d]);
const space = new Set([0x20, 0x09, 0x0a, 0x0d]);

/**
 * Cuts a body into the JSON objects that it holds one after another, as they come in.
 *
 * **Invariant:** it keeps no more than the bytes of one object, and refuses one that is larger than allowed.
 */
export class JsonObjects {
  readonly #bytesMax: number;
  #rest: Buffer = Buffer.alloc(0);
  /** Up to where `#rest` has been looked at. */
  #at = 0;
  #depth = 0;
  #inString = false;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  push(chunk: Buffer): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
  }

  /** The next object that is complete. Throws `EtcdError`. */
  next(): string | undefined {
    const bytes = this.#rest;
    while (this.#at < bytes.length) {
      const byte = bytes[this.#at++] as number;
      if (this.#inString) {
        if (byte === backslash) this.#at++;
        else if (byte === quote) this.#inString = false;
      } else if (open.has(byte)) this.#depth++;
      else if (this.#depth === 0 && !space.has(byte)) throw malformed();
      else if (byte === quote) this.#inString = true;
      else if (close.has(byte) && --this.#depth === 0) {
        const found = bytes.toString('utf8', 0, this.#at).trimStart();
        this.#rest = bytes.subarray(this.#at);
        this.#at = 0;
        return found;
      }
    }
    // An escape may stand at the end of what has come so far.
    if (this.#at > bytes.length && bytes.length > 0) {
      this.#at = bytes.length - 1;
      this.#inString = true;
    }
    if (bytes.length > this.#bytesMax) {
      throw new EtcdError('INVALID_ARGUMENT', `etcdserver: request is too large: more than ${this.#bytesMax} bytes`);
    }
    return undefined;
  }

  /** Something that is no complete object is left. */
  get isWithinObject(): boolean {
    return this.#depth > 0;
  }
}

function malformed(): EtcdError {
  return new EtcdError('INVALID_ARGUMENT', 'the body is no JSON object');
}
