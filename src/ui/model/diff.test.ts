import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changedSpan, diffLines } from './diff.ts';

/** As `diff -u` marks them. */
function marked(oldText: string, newText: string): string[] {
  const marks = { same: ' ', removed: '-', added: '+' };
  return diffLines(oldText, newText).map(({ kind, text }) => marks[kind] + text);
}

test('diff: what is removed comes before what is added, and the rest stays', () => {
  assert.deepEqual(marked('a\nb\nc', 'a\nx\nc'), [' a', '-b', '+x', ' c']);
  assert.deepEqual(marked('a\nb\nc\nd', 'b\nc\ne\nd'), ['-a', ' b', ' c', '+e', ' d']);
  assert.deepEqual(marked('same', 'same'), [' same']);
});

test('diff: lines are numbered on the sides that have them', () => {
  const lines = diffLines('a\nb', 'b\nc').map(({ text, oldNumber, newNumber }) => [text, oldNumber, newNumber]);
  assert.deepEqual(lines, [
    ['a', 1, undefined],
    ['b', 2, 1],
    ['c', undefined, 2],
  ]);
});

test('diff: both sides can be read off it, whatever the texts are', () => {
  let seed = 7;
  const random = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((seed / 2_147_483_648) * below);
  };
  for (let round = 0; round < 300; round++) {
    const text = (): string => Array.from({ length: random(12) }, () => 'abc'[random(3)]).join('\n');
    const [before, after] = [text(), text()];
    const lines = diffLines(before, after);
    const side = (without: string): string =>
      lines
        .filter(({ kind }) => kind !== without)
        .map(({ text }) => text)
        .join('\n');
    assert.equal(side('added'), before);
    assert.equal(side('removed'), after);
  }
});

test('diff: two long texts that have nothing in common take no quadratic time', () => {
  const text = (name: string): string => Array.from({ length: 20_000 }, (_, i) => `${name}${i}`).join('\n');
  assert.equal(diffLines(text('a'), text('b')).length, 40_000);
});

test('diff: within a line, only what differs is marked', () => {
  assert.deepEqual(changedSpan('color = blue;', 'color = green;'), { start: 8, oneEnd: 12, otherEnd: 13 });
  assert.deepEqual(changedSpan('aa', 'aaa'), { start: 2, oneEnd: 2, otherEnd: 3 });
});
