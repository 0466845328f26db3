/**
 * CRC-32C (Castagnoli), as in RFC 3720 appendix B.4: the checksum of LevelDB's journal, of every log record, stored
 * value and peer frame. Written here because the journal format asks for it and Node.js offers only CRC-32.
 */
export function crc32c(bytes: Uint8Array, previous = 0, start = 0, end = bytes.length): number {
  let crc = ~previous;
  let at = start;
  // Eight bytes a round through eight tables ("slicing by 8", Kounavis and Berry): 5 times the speed of one table.
  for (const last = end - 7; at < last; at += 8) {
    const low = crc ^ (b(bytes, at) | (b(bytes, at + 1) << 8) | (b(bytes, at + 2) << 16) | (b(bytes, at + 3) << 24));
    crc =
      t(7, low & 0xff) ^
      t(6, (low >>> 8) & 0xff) ^
      t(5, (low >>> 16) & 0xff) ^
      t(4, low >>> 24) ^
      t(3, b(bytes, at + 4)) ^
      t(2, b(bytes, at + 5)) ^
      t(1, b(bytes, at + 6)) ^
      t(0, b(bytes, at + 7));
  }
  for (; at < end; at++) crc = t(0, (crc ^ b(bytes, at)) & 0xff) ^ (crc >>> 8);
  return ~crc >>> 0;
}

const tables = new Int32Array(8 * 256);
for (let byte = 0; byte < 256; byte++) {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  tables[byte] = crc;
}
for (let byte = 0; byte < 256; byte++) {
  for (let slice = 1; slice < 8; slice++) {
    const crc = t(slice - 1, byte);
    tables[slice * 256 + byte] = t(0, crc & 0xff) ^ (crc >>> 8);
  }
}

function t(slice: number, byte: number): number {
  return tables[slice * 256 + byte] as number;
}

function b(bytes: Uint8Array, at: number): number {
  return bytes[at] as number;
}
