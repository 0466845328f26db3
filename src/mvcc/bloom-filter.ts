/**
 * A set of strings that may say of one that it is there although it is not, but never the other way round (Bloom 1970).
 * It never takes more than 8 MiB: with 1,000,000 strings one answer in ten thousand is wrong, with 10,000,000 one in
 * twenty, and above that it slowly becomes useless. A string's bits share a block of 4 KiB, so that few strings take
 * little memory, and a question costs one miss of the processor's cache.
 */
export class BloomFilter {
  readonly #blocks: (Uint32Array | undefined)[] = Array.from({ length: blockCount });

  /** `text`: one byte a character. */
  add(text: string): void {
    const hash = hashOf(text);
    const first = mix(hash, 0x85ebca6b, 0xc2b2ae35);
    const second = mix(hash, 0x7feb352d, 0x846ca68b);
    const at = first >>> (32 - blockCountBits);
    let block = this.#blocks[at];
    if (block === undefined) {
      block = new Uint32Array(blockWords);
      this.#blocks[at] = block;
    }
    setBit(block, first & bitMask);
    setBit(block, second & bitMask);
    setBit(block, second >>> (32 - blockBits));
  }

  mayHave(text: string): boolean {
    const hash = hashOf(text);
    const first = mix(hash, 0x85ebca6b, 0xc2b2ae35);
    const block = this.#blocks[first >>> (32 - blockCountBits)];
    if (block === undefined || !isSet(block, first & bitMask)) return false;
    const second = mix(hash, 0x7feb352d, 0x846ca68b);
    return isSet(block, second & bitMask) && isSet(block, second >>> (32 - blockBits));
  }
}

function setBit(block: Uint32Array, bit: number): void {
  block[bit >>> 5] = (block[bit >>> 5] as number) | (1 << (bit & 31));
}

function isSet(block: Uint32Array, bit: number): boolean {
  return ((block[bit >>> 5] as number) & (1 << (bit & 31))) !== 0;
}

/** FNV-1a. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash;
}

/** The last step of MurmurHash3, with one of two pairs of factors: every bit comes to depend on every other. */
function mix(hash: number, factor: number, other: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), factor);
  mixed = Math.imul(mixed ^ (mixed >>> 13), other);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

const blockCountBits = 11;
const blockCount = 2 ** blockCountBits;
const blockBits = 15;
const bitMask = 2 ** blockBits - 1;
const blockWords = 2 ** blockBits / 32;
