import assert from 'node:assert/strict';
import { type Random, seededRandom } from '../../../src/base/random.ts';
import { mutate, oneIn, pick } from '../engine/mutate.ts';
import type { Input, OpenTarget } from '../engine/target.ts';

/** One decoder of Balsa's, with the encoder that makes its corpus. */
export interface Decoder {
  readonly kind: string;
  /** A valid record. */
  encode(random: Random): Buffer;
  /** Puts a checksum that fits under damaged bytes, so that the damage gets past it; absent where there is none. */
  reseal?(bytes: Buffer): Buffer;
  /** What it decodes to; undefined where it refuses in the documented way. Anything else that it throws is a finding. */
  decode(bytes: Buffer): unknown;
  /** The bytes of what was decoded: what one member writes, another reads alike. */
  encodeAgain?(decoded: never): Buffer;
}

/** Valid records of every kind, whole or with something wrong, into the decoder of their kind or of another. */
export function decoderTarget(decoders: readonly Decoder[]): OpenTarget {
  const byKind = new Map(decoders.map((decoder) => [decoder.kind, decoder]));
  return {
    make(random) {
      const decoder = pick(random, decoders);
      const valid = decoder.encode(random);
      const other = pick(random, decoders).encode(random);
      if (oneIn(random, 20)) return { kind: decoder.kind, bytes: oneIn(random, 2) ? valid : other };
      const damaged = mutate(random, valid, other);
      const isSealed = decoder.reseal !== undefined && !oneIn(random, 4);
      return { kind: decoder.kind, bytes: isSealed ? (decoder.reseal?.(damaged) ?? damaged) : damaged };
    },

    run({ kind, bytes }: Input) {
      const decoder = byKind.get(kind);
      if (decoder === undefined) throw new Error(`there is no decoder ${kind}`);
      const given = Buffer.from(bytes);
      const decoded = decoder.decode(given);
      assert.ok(given.equals(bytes), 'the decoder changed what it was given');
      if (decoded === undefined || decoder.encodeAgain === undefined) return;
      // Decoded from these bytes by this very decoder.
      const again = decoder.decode(decoder.encodeAgain(decoded as never));
      assert.deepEqual(again, decoded, 'what was decoded is another thing once it is encoded and decoded again');
    },
  };
}

/** Chance that depends on nothing but the bytes. */
export function randomOf(bytes: Buffer): Random {
  let hash = 0x811c9dc5;
  for (const byte of bytes.subarray(0, 4096)) hash = Math.imul(hash ^ byte, 0x01000193);
  return seededRandom((hash >>> 0) + bytes.length * 2 ** 32);
}
