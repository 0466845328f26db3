import { tables } from './key-space.ts';

/** What the disk gave back is not what was written. Never answered to a client as data. */
export class DamagedValue extends Error {
  override readonly name = 'DamagedValue';
  /** Without group and table. */
  readonly key: Uint8Array;

  constructor(tableKey: Buffer, problem: string) {
    const key = Uint8Array.prototype.slice.call(tableKey, 5);
    const table = Object.entries(tables).find(([, byte]) => byte === tableKey[4])?.[0] ?? `table ${tableKey[4]}`;
    super(
      `The record of key "${printable(key)}" (${table}) is damaged: ${problem}. This member's data cannot be trusted: ` +
        'stop it, look after its disk and memory, and let it take its data from the other members again or from a backup.',
    );
    this.key = key;
  }
}

/** Bytes as a person can read them in a log line: ASCII as it is, everything else as \xNN, cut when long. */
export function printable(bytes: Uint8Array, bytesMax = 128): string {
  let text = '';
  for (const byte of bytes.subarray(0, bytesMax)) {
    const plain = byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c;
    text += plain ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  return bytes.length > bytesMax ? `${text}… (${bytes.length} bytes)` : text;
}
