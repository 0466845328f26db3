export const keyCount = 10_000;
export const valueBytes = 256;
export const keyPrefix = 'bench/';

/** 0 → `bench/0000`. All keys have one length, so that one can be written over another in a request's body. */
export function keyOf(index: number): string {
  return keyPrefix + keyDigits(index);
}

export function keyDigits(index: number): string {
  return String(index).padStart(4, '0');
}

/**
 * Values that do not compress: LevelDB compresses its tables and etcd's file does not, and real values differ more than
 * 256 times the same letter does.
 */
export function makeValue(seed: number): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  let state = (seed + 1) >>> 0;
  let value = '';
  for (let i = 0; i < valueBytes; i++) {
    // The generator of Numerical Recipes; its high bits are good enough for this.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    value += alphabet.charAt(state >>> 26);
  }
  return value;
}
