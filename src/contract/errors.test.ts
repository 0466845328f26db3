import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { BalsaError, errorCatalogue, isErrorCode } from './errors.ts';

const page = await readFile(new URL('../../docs/errors.md', import.meta.url), 'utf8');

/** The rows of the one table, by code. */
function documented(): Map<string, { status: string; retryable: string; definite: string; title: string }> {
  const rows = page.matchAll(/^\| `(\w+)` \| (\d+) \| (yes|no) \| (yes|no) \| (.+) \|$/gm);
  return new Map(
    [...rows].map(([, code = '', status = '', retryable = '', definite = '', title = '']) => [
      code,
      { status, retryable, definite, title },
    ]),
  );
}

test('errors: docs/errors.md has the catalogue, no more and no less', () => {
  const yesOrNo = (value: boolean): string => (value ? 'yes' : 'no');
  const expected = Object.entries(errorCatalogue).map(([code, { httpStatus, title, retryable, definite }]) => [
    code,
    { status: `${httpStatus}`, retryable: yesOrNo(retryable), definite: yesOrNo(definite), title },
  ]);
  assert.deepEqual([...documented()], expected);
});

test('errors: docs/errors.md says what to do about each', () => {
  const advice = page.slice(page.indexOf('## What to do'));
  for (const code of Object.keys(errorCatalogue)) assert.ok(advice.includes(`**\`${code}\`**`), code);
});

test('errors: what may be retried as it is certainly did not happen', () => {
  for (const [code, { retryable, definite }] of Object.entries(errorCatalogue)) {
    assert.ok(!retryable || definite, code);
  }
});

test('errors: the client is blamed by 4xx, and has done nothing then', () => {
  for (const [code, { httpStatus, definite }] of Object.entries(errorCatalogue)) {
    assert.ok(httpStatus >= 400 && httpStatus < 600, code);
    assert.ok(httpStatus >= 500 || definite, code);
  }
});

test('errors: the code comes first in the message, and the row belongs to it', () => {
  const error = new BalsaError('no_leader', 'Nobody leads.', { extras: { parameter: 'x' } });
  assert.equal(error.message, '[no_leader] Nobody leads.');
  assert.equal(error.kind, errorCatalogue.no_leader);
  assert.deepEqual(error.extras, { parameter: 'x' });
});

test('errors: from: a BalsaError stays; anything else is internal, and keeps its text to itself', () => {
  const known = new BalsaError('timeout', 'Too late.');
  assert.equal(BalsaError.from(known), known);
  for (const reason of [new Error('password: x'), 'password: x', undefined]) {
    const error = BalsaError.from(reason);
    assert.equal(error.code, 'internal');
    assert.equal(error.cause, reason);
    assert.doesNotMatch(error.message, /password/);
  }
});

test('errors: a code is one of the catalogue, not of every object', () => {
  assert.equal(isErrorCode('timeout'), true);
  assert.equal(isErrorCode('toString'), false);
});
