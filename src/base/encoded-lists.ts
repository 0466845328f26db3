/**
 * What lists were encoded to that come again, for as long as somebody else keeps the list. At the first time a list is only
 * noted: most never come again. Who hands a list over never writes to it.
 */
export class EncodedLists {
  /** Shorter lists take no longer to encode than to look up, and are not kept. */
  static readonly lengthMin = 32;
  readonly #known = new WeakMap<readonly unknown[], Map<string, Uint8Array>>();

  /** `format`: all that `encode` depends on beside the list. What it returns is shared, and not to be written to. */
  bytes(list: readonly unknown[], format: string, encode: () => Uint8Array): Uint8Array {
    if (list.length < EncodedLists.lengthMin) return encode();
    const known = this.#known.get(list);
    if (known === undefined) {
      this.#known.set(list, new Map());
      return encode();
    }
    let bytes = known.get(format);
    if (bytes === undefined) {
      bytes = encode();
      known.set(format, bytes);
    }
    return bytes;
  }
}
