import { type Random, seededRandom } from '../../base/random.ts';

/**
 * Calls `decode` with bytes that are almost right: each sample cut, lengthened, and with bytes changed, and with bytes
 * that are nothing at all. `decode` has to return or throw as it should.
 */
export function fuzz(
  seed: number,
  samples: readonly Uint8Array[],
  rounds: number,
  decode: (bytes: Buffer) => void,
): void {
  const random = seededRandom(seed);
  for (let round = 0; round < rounds; round++) {
    const sample = samples[random.below(samples.length)] ?? new Uint8Array();
    const bytes = mutate(random, Buffer.from(sample));
    try {
      decode(bytes);
    } catch (cause) {
      throw new Error(`seed ${seed}, round ${round}: ${bytes.toString('hex')}`, { cause });
    }
  }
}

function mutate(random: Random, bytes: Buffer): Buffer {
  switch (random.below(4)) {
    case 0:
      return bytes.subarray(0, random.below(bytes.length + 1));
    case 1:
      return Buffer.concat([bytes, Buffer.from([random.below(256)])]);
    case 2:
      return Buffer.from(Array.from({ length: random.below(64) }, () => random.below(256)));
    default:
      for (let change = random.below(4); change >= 0 && bytes.length > 0; change--) {
        bytes[random.below(bytes.length)] = random.below(3) === 0 ? 0xff : random.below(256);
      }
      return bytes;
  }
}
