import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Random } from '../../../src/base/random.ts';
import { mutate, oneIn, pick } from '../engine/mutate.ts';
import { randomOf } from './decoders.ts';

/**
 * One thing that happens to a file while nobody looks. `file` counts the files of a directory; `at` is a share of the
 * file's length.
 */
export interface Damage {
  readonly file: number;
  readonly what: (typeof damages)[number];
  readonly at: number;
  readonly value: number;
}

export interface Script {
  readonly base: number;
  readonly damages: readonly Damage[];
}

const damages = ['flip', 'set', 'zeros', 'cut', 'extend', 'scramble', 'swap', 'remove', 'empty', 'copyFrom'] as const;

/**
 * What may happen to a table. Not in the midst of it: LevelDB checks no block of a table, and its own assertions end the
 * process on one that makes no sense.
 */
const outsideDamages: ReadonlySet<string> = new Set<Damage['what']>(['cut', 'extend', 'remove', 'empty']);

/** `bases`: how many directories there are to begin with. */
export function makeScript(random: Random, bases: number): Script {
  const list = Array.from({ length: 1 + (oneIn(random, 3) ? random.below(5) : 0) }, () => ({
    file: random.below(20),
    what: pick(random, damages),
    at: random.below(10_000) / 10_000,
    value: random.below(256),
  }));
  return { base: random.below(bases), damages: list };
}

/** Of a file in the corpus, or one that is being made smaller: what is missing is 0. */
export function parseScript(bytes: Buffer): Script {
  const { base = 0, damages: list = [] } = JSON.parse(bytes.toString() || '{}') as Partial<Script>;
  return {
    base,
    damages: list.map(({ file = 0, what = 'flip', at = 0, value = 0 }: Partial<Damage>) => ({ file, what, at, value })),
  };
}

/** Does it to one of these files, if that is still there. */
export function wreak(paths: readonly string[], { file, what, at, value }: Damage): void {
  const path = paths[file % paths.length];
  if (path === undefined || !existsSync(path)) return;
  if (what === 'remove') {
    rmSync(path);
    return;
  }
  if (path.endsWith('.ldb') && !outsideDamages.has(what)) return;
  const bytes = readFileSync(path);
  if (what === 'swap') {
    const others = paths.filter((candidate) => !candidate.endsWith('.ldb') && existsSync(candidate));
    const other = others[(file + 1 + value) % others.length] ?? path;
    writeFileSync(path, readFileSync(other));
    writeFileSync(other, bytes);
    return;
  }
  writeFileSync(path, damaged(bytes, what, Math.floor(at * bytes.length), value));
}

function damaged(bytes: Buffer, what: Exclude<Damage['what'], 'remove' | 'swap'>, at: number, value: number): Buffer {
  switch (what) {
    case 'flip':
      if (bytes.length > 0) bytes[at] = (bytes[at] ?? 0) ^ (1 << (value % 8));
      return bytes;
    case 'set':
      if (bytes.length > 0) bytes[at] = value;
      return bytes;
    case 'zeros':
      return bytes.fill(0, at, Math.min(bytes.length, at + 16 * (1 + value)));
    case 'cut':
      return bytes.subarray(0, at);
    case 'extend':
      return Buffer.concat([bytes, Buffer.alloc(1 + 9 * value, value)]);
    case 'scramble':
      return mutate(randomOf(Buffer.from([value, at & 0xff])), bytes, bytes, 4 * 1024 * 1024);
    case 'empty':
      return Buffer.alloc(0);
    case 'copyFrom': {
      const from = Math.floor((value / 256) * bytes.length);
      bytes.copy(bytes, at, from, from + 512);
      return bytes;
    }
  }
}
