import type { Random } from '../../base/random.ts';
import type { Condition, KeyRange } from '../../contract/kv.ts';
import type { Command } from '../command.ts';

/** Few keys, so that commands meet; among them what strings get wrong: 0x00, 0xff, lone surrogates, invalid UTF-8. */
const oddKeys = ['00', '0000', '61', '6100', '61ff', '62', 'eda080', 'ee8080', 'f0908080', 'fe', 'ff', 'ffff'];

export function randomKey(random: Random): Uint8Array {
  if (random.below(2) === 0) return Buffer.from(oddKeys[random.below(oddKeys.length)] ?? '', 'hex');
  return randomBytes(random, 1 + random.below(2), 4);
}

/** Bytes below `bound` only; the default is all. */
export function randomBytes(random: Random, length: number, bound = 256): Uint8Array {
  return Uint8Array.from({ length }, () => random.below(bound));
}

export function randomRange(random: Random): KeyRange {
  const start = random.below(6) === 0 ? new Uint8Array() : randomKey(random);
  return { start, end: random.below(4) === 0 ? undefined : randomKey(random) };
}

/** The commands of one log entry. */
export function randomEntry(random: Random, revision: number): readonly Command[] {
  const commands = Array.from({ length: 1 + random.below(3) }, () => randomCommand(random, revision));
  const alone = commands.find((command) => command.kind === 'deleteRange');
  return alone === undefined ? commands : [alone];
}

export function randomCommand(random: Random, revision: number): Command {
  const key = randomKey(random);
  const previous = random.below(3) === 0;
  switch (random.below(10)) {
    case 0:
      return { kind: 'deleteRange', range: randomRange(random), keysMax: 1 + random.below(12), bytesMax: 20 };
    case 1:
    case 2:
      return { kind: 'delete', key, condition: randomCondition(random, revision), previous };
    case 3: {
      const memberId = ['a1', 'b2', 'unknown'][random.below(3)] ?? '';
      return {
        kind: 'publish',
        memberId,
        name: `name-${random.below(9)}`,
        clientUrls: ['http://é:2379'],
        version: '1.2.3',
      };
    }
    default: {
      const value = randomBytes(random, random.below(8) === 0 ? 5_000 : random.below(40));
      return { kind: 'put', key, value, condition: randomCondition(random, revision), previous };
    }
  }
}

function randomCondition(random: Random, revision: number): Condition | undefined {
  switch (random.below(6)) {
    case 0:
      return { kind: 'exists' };
    case 1:
      return { kind: 'absent' };
    case 2:
      return {
        kind: 'modRevisionIn',
        revisions: Array.from({ length: random.below(6) }, () => 1 + random.below(revision)),
      };
    default:
      return undefined;
  }
}
