import assert from 'node:assert/strict';
import { test } from 'node:test';
import { markLiterals, unmarkLiterals } from './literal-arguments.ts';

test('literal arguments: a dash alone and all after -- reach the command as they are', () => {
  const marked = markLiterals(['put', 'k', '-', '--prev', '--', '-v', '--']);
  assert.deepEqual(marked, ['put', 'k', '\0-', '--prev', '\0-v', '\0--']);
  const parsed = { key: 'k', value: '\0-', other: '\0-v', prev: true };
  unmarkLiterals(parsed);
  assert.deepEqual(parsed, { key: 'k', value: '-', other: '-v', prev: true });
});

test('literal arguments: without them nothing changes', () => {
  assert.deepEqual(markLiterals(['get', 'k', '-o', 'json']), ['get', 'k', '-o', 'json']);
});
