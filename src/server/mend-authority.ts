/**
 * Etcd's Go client up to 3.4 sends the whole URL of an endpoint as `:authority` (`endpoint status`, `defrag` and others of
 * etcdctl). Go's server takes it; nghttp2, which Node's HTTP/2 is, resets the stream because of its slashes.
 *
 * @param block The first header block of a connection (RFC 7541), when nothing is in the dynamic table yet.
 * @returns The block with dots for the slashes, or the same one. The length of the value stays, so that the tables of both sides
 * stay alike; later requests refer to it.
 */
export function mendAuthority(block: Buffer): Buffer {
  try {
    return mended(block);
  } catch (reason) {
    // What cannot be read is the HTTP/2 server's to refuse.
    if (reason instanceof RangeError) return block;
    throw reason;
  }
}

function mended(block: Buffer): Buffer {
  const reader = new HeaderBlock(block);
  while (!reader.isAtEnd) {
    const representation = reader.peek();
    if (representation & 0x80) reader.integer(7);
    else if ((representation & 0xe0) === 0x20) reader.integer(5);
    else {
      const isIndexed = (representation & 0x40) !== 0;
      const name = reader.integer(isIndexed ? 6 : 4);
      if (name === 0) reader.string();
      const from = reader.at;
      const value = reader.string();
      if (name !== authorityIndex) continue;
      const text = value.isCoded ? decodeHuffman(value.bytes) : value.bytes.toString('latin1');
      if (text === undefined || !text.includes('/') || text.length > 126) return block;
      const plain = Buffer.from(text.replaceAll('/', '.'), 'latin1');
      return Buffer.concat([block.subarray(0, from), Buffer.of(plain.length), plain, block.subarray(reader.at)]);
    }
  }
  return block;
}

/** In the static table (RFC 7541, appendix A). */
const authorityIndex = 1;

class HeaderBlock {
  at = 0;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.at >= this.#bytes.length;
  }

  peek(): number {
    return this.#bytes.readUInt8(this.at);
  }

  /** Section 5.1. */
  integer(prefixBits: number): number {
    const most = 2 ** prefixBits - 1;
    let value = this.#bytes.readUInt8(this.at++) & most;
    if (value < most) return value;
    for (let factor = 1; factor <= 2 ** 21; factor *= 128) {
      const byte = this.#bytes.readUInt8(this.at++);
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    throw new RangeError('an integer that is too long');
  }

  /** Section 5.2. */
  string(): { readonly isCoded: boolean; readonly bytes: Buffer } {
    const isCoded = (this.peek() & 0x80) !== 0;
    const length = this.integer(7);
    const end = this.at + length;
    if (end > this.#bytes.length) throw new RangeError('a string that is cut short');
    const bytes = this.#bytes.subarray(this.at, end);
    this.at = end;
    return { isCoded, bytes };
  }
}

/** Undefined for what has other symbols than those that hosts are made of. */
function decodeHuffman(bytes: Buffer): string | undefined {
  let text = '';
  let code = 0;
  let length = 0;
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      code = (code << 1) | ((byte >> bit) & 1);
      length++;
      const symbol = symbols[length]?.[code - (firstCodes[length] ?? 0)];
      if (symbol !== undefined) {
        text += symbol;
        code = 0;
        length = 0;
      } else if (length > 8) return undefined;
    }
  }
  // What is left is padding: the beginning of a code of ones only.
  return code === 2 ** length - 1 && length < 8 ? text : undefined;
}

/** The codes of 5, 6, 7 and 8 bits, in order (appendix B); those of a length follow one another from `firstCodes` on. */
const symbols: Readonly<Record<number, string>> = {
  5: '012aceiost',
  6: ' %-./3456789=A_bdfghlmnpru',
  7: ':BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz',
  8: '&*,;XZ',
};
const firstCodes: Readonly<Record<number, number>> = { 5: 0x00, 6: 0x14, 7: 0x5c, 8: 0xf8 };
