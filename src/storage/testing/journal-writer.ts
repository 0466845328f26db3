import { crc32c } from '../../base/checksum.ts';
import { journalBlockBytes } from '../journal-scan.ts';

/** A second implementation of the writer, from leveldb `db/log_writer.cc`. */
export class JournalWriter {
  readonly ends: number[] = [];
  readonly #pieces: Buffer[] = [];
  #length = 0;

  append(payload: Buffer): void {
    let left = payload;
    for (let isFirst = true; isFirst || left.length > 0; isFirst = false) {
      let room = journalBlockBytes - (this.#length % journalBlockBytes);
      if (room < 7) {
        this.#push(Buffer.alloc(room));
        room = journalBlockBytes;
      }
      const fragment = left.subarray(0, room - 7);
      left = left.subarray(fragment.length);
      const isLast = left.length === 0;
      this.#push(record(isFirst ? (isLast ? 1 : 2) : isLast ? 4 : 3, fragment));
    }
    this.ends.push(this.#length);
  }

  bytes(): Buffer {
    return Buffer.concat(this.#pieces);
  }

  #push(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#length += piece.length;
  }
}

function record(type: number, payload: Buffer): Buffer {
  const bytes = Buffer.alloc(7 + payload.length);
  bytes.writeUInt16LE(payload.length, 4);
  bytes[6] = type;
  bytes.set(payload, 7);
  const crc = crc32c(bytes, 0, 6);
  bytes.writeUInt32LE((((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0, 0);
  return bytes;
}

/** A LevelDB `WriteBatch` of the given size: sequence number, count, and something. */
export function batch(sequence: number, count: number, bytes: number): Buffer {
  const payload = Buffer.alloc(bytes, `batch ${sequence} `);
  payload.writeBigUInt64LE(BigInt(sequence), 0);
  payload.writeUInt32LE(count, 8);
  return payload;
}
