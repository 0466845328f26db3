import { randomBytes } from 'node:crypto';

/** `count` texts of `length` letters, digits, `-` and `_` that do not compress. */
export function randomTexts(count: number, length: number): readonly string[] {
  const letters = randomBytes(Math.ceil((count * length * 3) / 4)).toString('base64url');
  return Array.from({ length: count }, (_, i) => letters.slice(i * length, (i + 1) * length));
}
