import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommandError } from './exit-codes.ts';
import { bufferOf, goWords } from './go-words.ts';

const split: readonly [line: string, words: readonly string[]][] = [
  ['put key1 value', ['put', 'key1', 'value']],
  ['  put   a\tb ', ['put', 'a', 'b']],
  ['put a "with spaces"', ['put', 'a', 'with spaces']],
  [`put a 'as "it" is \\n'`, ['put', 'a', 'as "it" is \\n']],
  ['put a ""', ['put', 'a', '']],
  [String.raw`put "\"a\\\t\n" b`, ['put', '"a\\\t\n', 'b']],
  [String.raw`put grün "gr\u00fcn \U0001F600"`, ['put', 'grün', 'grün 😀']],
];
for (const [line, words] of split) {
  test(`words: ${line}`, () => {
    assert.deepEqual(
      goWords(line).map((word) => bufferOf(word).toString()),
      words,
    );
  });
}

test('words: bytes that are no text are written as escapes', () => {
  const [, key] = goWords(String.raw`get "\xff\000\101"`);
  assert.deepEqual([...bufferOf(key ?? '')], [0xff, 0, 0x41]);
});

for (const [line, problem] of [
  ['put a "b', /a quotation mark is not closed in: put a "b$/],
  ["put a 'b", /is not closed/],
  [String.raw`put a "\q"`, /\\q is no escape sequence of a Go string/],
  [String.raw`put a "\ud800"`, /no escape sequence/],
  [String.raw`put a "\777"`, /no escape sequence/],
] as const) {
  test(`words: refused: ${line}`, () => {
    assert.throws(
      () => goWords(line),
      (reason) => reason instanceof CommandError && problem.test(reason.message),
    );
  });
}
