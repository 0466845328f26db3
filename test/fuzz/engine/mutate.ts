import type { Random } from '../../../src/base/random.ts';

/** Where lengths, indices and flags go wrong; the large ones are where 31, 32, 53 and 64 bits end. */
export const interestingNumbers: readonly number[] = [
  0,
  1,
  2,
  7,
  8,
  0x7f,
  0x80,
  0xff,
  0x100,
  0x7fff,
  0x8000,
  0xffff,
  0x10000,
  2 ** 24,
  0x02000000,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 50,
  2 ** 50 + 1,
  2 ** 53 - 1,
  2 ** 53,
  2 ** 63,
  -1,
];

export function pick<T>(random: Random, choices: readonly T[]): T {
  return choices[random.below(choices.length)] as T;
}

/** True once in `count` times. */
export function oneIn(random: Random, count: number): boolean {
  return random.below(count) === 0;
}

export function randomBytes(random: Random, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let at = 0; at < length; at++) bytes[at] = random.below(256);
  return bytes;
}

/** Mostly short, at times very long. */
export function randomLength(random: Random, max: number): number {
  return Math.min(max, random.below(2 ** random.below(1 + Math.ceil(Math.log2(max + 1)))));
}

/** A valid input with one to four things wrong. `other` lends it parts of another valid one. The given one stays. */
export function mutate(random: Random, valid: Buffer, other: Buffer, bytesMax = 128 * 1024): Buffer {
  let bytes: Buffer = Buffer.from(valid);
  const changes = 1 + random.below(oneIn(random, 4) ? 12 : 3);
  for (let change = 0; change < changes; change++) bytes = pick(random, mutations)(random, bytes, other);
  return bytes.length > bytesMax ? bytes.subarray(0, bytesMax) : bytes;
}

/** May change the bytes that it is given. */
type Mutation = (random: Random, bytes: Buffer, other: Buffer) => Buffer;

const mutations: readonly Mutation[] = [
  flipBit,
  flipBit,
  setByte,
  setByte,
  setNumber,
  setNumber,
  nudgeByte,
  truncate,
  removePart,
  insertBytes,
  insertText,
  duplicatePart,
  repeatPart,
  splice,
  movePart,
];

function flipBit(random: Random, bytes: Buffer): Buffer {
  if (bytes.length === 0) return bytes;
  const at = random.below(bytes.length);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
  return bytes;
}

function setByte(random: Random, bytes: Buffer): Buffer {
  if (bytes.length > 0) bytes[random.below(bytes.length)] = pick(random, [0, 1, 0x7f, 0x80, 0xff, random.below(256)]);
  return bytes;
}

function nudgeByte(random: Random, bytes: Buffer): Buffer {
  if (bytes.length === 0) return bytes;
  const at = random.below(bytes.length);
  bytes[at] = ((bytes[at] ?? 0) + pick(random, [1, 255, 2, 254])) & 0xff;
  return bytes;
}

function setNumber(random: Random, bytes: Buffer): Buffer {
  const value = numberBytes(random);
  if (bytes.length >= value.length) value.copy(bytes, random.below(bytes.length - value.length + 1));
  return bytes;
}

/** In a width and byte order by chance. */
function numberBytes(random: Random): Buffer {
  const value = pick(random, interestingNumbers);
  const bytes = Buffer.alloc(8);
  if (oneIn(random, 4)) bytes.writeDoubleBE(value);
  else bytes.writeBigUInt64BE(BigInt.asUintN(64, BigInt(value)));
  const narrow = bytes.subarray(8 - pick(random, [1, 2, 4, 8]));
  return oneIn(random, 2) ? narrow : Buffer.from(narrow).reverse();
}

function truncate(random: Random, bytes: Buffer): Buffer {
  return bytes.subarray(0, random.below(bytes.length + 1));
}

function removePart(random: Random, bytes: Buffer): Buffer {
  const [from, to] = part(random, bytes);
  return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
}

function insertBytes(random: Random, bytes: Buffer): Buffer {
  const at = random.below(bytes.length + 1);
  const inserted = oneIn(random, 2) ? randomBytes(random, 1 + random.below(8)) : numberBytes(random);
  return Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(at)]);
}

function insertText(random: Random, bytes: Buffer): Buffer {
  const at = random.below(bytes.length + 1);
  return Buffer.concat([bytes.subarray(0, at), Buffer.from(pick(random, oddTexts)), bytes.subarray(at)]);
}

function duplicatePart(random: Random, bytes: Buffer): Buffer {
  const [from, to] = part(random, bytes);
  return Buffer.concat([bytes.subarray(0, to), bytes.subarray(from)]);
}

function repeatPart(random: Random, bytes: Buffer): Buffer {
  const [from, to] = part(random, bytes, 16);
  const times = 2 + randomLength(random, oneIn(random, 12) ? 4096 : 24);
  return Buffer.concat([
    bytes.subarray(0, from),
    ...Array.from({ length: times }, () => bytes.subarray(from, to)),
    bytes.subarray(to),
  ]);
}

function splice(random: Random, bytes: Buffer, other: Buffer): Buffer {
  const [from, to] = part(random, other, other.length);
  const at = random.below(bytes.length + 1);
  const rest = oneIn(random, 2) ? bytes.subarray(at) : bytes.subarray(Math.min(bytes.length, at + to - from));
  return Buffer.concat([bytes.subarray(0, at), other.subarray(from, to), rest]);
}

function movePart(random: Random, bytes: Buffer): Buffer {
  const [from, to] = part(random, bytes);
  const moved = Buffer.from(bytes.subarray(from, to));
  const rest = Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
  const at = random.below(rest.length + 1);
  return Buffer.concat([rest.subarray(0, at), moved, rest.subarray(at)]);
}

function part(random: Random, bytes: Buffer, lengthMax = 256): [from: number, to: number] {
  const from = random.below(bytes.length + 1);
  return [from, Math.min(bytes.length, from + randomLength(random, lengthMax))];
}

/** What text means to somebody: ends of lines, of strings and of the world, names that objects have already. */
export const oddTexts: readonly string[] = [
  '\0',
  '\r\n',
  '\n',
  ' ',
  '\t',
  '"',
  "'",
  '\\',
  '%',
  '%00',
  '%zz',
  '%ff',
  '..',
  '/',
  '?',
  '&',
  '=',
  '#',
  ',',
  ';',
  ':',
  '[',
  ']',
  '{',
  '}',
  '-1',
  '0',
  '1e309',
  '9007199254740993',
  'NaN',
  'null',
  'true',
  '__proto__',
  'constructor',
  'toString',
  '\ufeff',
  '\u2028',
  '\ud83d\ude00',
  '\u0301'.repeat(50),
];
