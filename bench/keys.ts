export const keyCount = 10_000;
export const valueBytes = 256;
export const keyPrefix = 'bench/';

/** Keys that requests are drawn from, `<prefix><index>`, and the size of what is put there. */
export interface KeySet {
  readonly prefix: string;
  /** Of the index, filled up with zeros. */
  readonly digits: number;
  readonly keys: number;
  readonly valueBytes: number;
}

/** 0 → `bench/0000`. All keys have one length, so that one can be written over another in a request's body. */
export function keyOf(index: number): string {
  return keyPrefix + keyDigits(index);
}

export function keyDigits(index: number): string {
  return String(index).padStart(benchKeys.digits, '0');
}

/** Of the keys that `fill` writes, a thousand have each of these in common: `bench/0`, …, `bench/9`. */
export const prefixKeyCount = 1000;

export function prefixOf(index: number): string {
  return keyPrefix + keyDigits(index).charAt(0);
}

/**
 * Three different keys for a transaction, one of each part of all keys. The parts differ in the first digit, so that the
 * keys still differ where a request carries some digits of one transaction and some of the next (`load/rotating-body.ts`):
 * etcd refuses to write a key twice.
 */
export function txnKeysOf(index: number): readonly string[] {
  return txnParts.map(({ first, keys }) => keyOf(first + (index % keys)));
}

const txnParts = [
  { first: 0, keys: 3000 },
  { first: 3000, keys: 3000 },
  { first: 6000, keys: 4000 },
] as const;

export const benchKeys: KeySet = { prefix: keyPrefix, digits: 4, keys: keyCount, valueBytes };

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
