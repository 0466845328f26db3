import assert from 'node:assert/strict';
import { test } from 'node:test';
import { preferredType } from './media-type.ts';

const bytes = 'application/octet-stream';
const json = 'application/json';

function check(accept: string | undefined, expected: string): void {
  assert.equal(preferredType(accept, bytes, json), expected);
}

test('accept: nothing or anything: the usual', () => {
  check(undefined, bytes);
  check('*/*', bytes);
  check('application/*', bytes);
});

test('accept: the other by name, alone or before the rest', () => {
  check(json, json);
  check('APPLICATION/JSON; charset=utf-8', json);
  check('application/json, text/plain;q=0.5, */*;q=0.1', json);
});

test('accept: by weight', () => {
  check('application/json;q=0.5, application/octet-stream', bytes);
  check('application/json;q=0.9, application/octet-stream;q=0.8', json);
  check('application/json;q=0, */*', bytes);
  check('*/*, application/octet-stream;q=0', json);
});

test('accept: what a browser sends for a page: the usual', () => {
  check('text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', bytes);
});

test('accept: neither: the usual, for the answer says what it is', () => check('image/png', bytes));

test('accept: a weight that is none counts as zero', () => check('application/json;q=much, */*;q=0.1', bytes));
