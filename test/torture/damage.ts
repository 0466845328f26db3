import { closeSync, fstatSync, ftruncateSync, openSync, readdirSync, readSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Random } from '../../src/base/random.ts';

/**
 * A member is left alone for that long before it is killed and damaged. It is more than the time between two receipts: a
 * loss of what was written since the last one looks like a write that the kill cut off (storage/README.md, "Receipts").
 */
export const receiptQuietMs = 150;

/** What was done to a file, in words; undefined if there was nothing to damage. */
export type DamageDone = string | undefined;

/**
 * Damages the newest journal of a member that does not run: a bit is flipped anywhere in it, or its end is cut off, by
 * anything from a byte to all of it.
 */
export function damageJournal(dataDir: string, kind: 'log' | 'data', random: Random): DamageDone {
  const directory = join(dataDir, kind);
  const journals = readdirSync(directory).filter((name) => /^\d+\.log$/.test(name));
  const sizes = journals.map((name) => ({ path: join(directory, name), size: statSync(join(directory, name)).size }));
  const [largest] = sizes.sort((a, b) => b.size - a.size);
  if (largest === undefined || largest.size === 0) return undefined;
  const file = openSync(largest.path, 'r+');
  try {
    return random.below(2) === 0 ? flipBit(file, kind, random) : cutEnd(file, kind, random);
  } finally {
    closeSync(file);
  }
}

function flipBit(file: number, kind: string, random: Random): string {
  const at = random.below(fstatSync(file).size);
  const byte = Buffer.alloc(1);
  readSync(file, byte, 0, 1, at);
  byte.writeUInt8(byte.readUInt8(0) ^ (1 << random.below(8)), 0);
  writeSync(file, byte, 0, 1, at);
  return `${kind}: a bit at byte ${at} flipped`;
}

function cutEnd(file: number, kind: string, random: Random): string {
  const { size } = fstatSync(file);
  const bytes = 1 + random.below(size);
  ftruncateSync(file, size - bytes);
  return `${kind}: the last ${bytes} of ${size} bytes cut off`;
}
