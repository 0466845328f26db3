import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BalsaError } from '../../contract/errors.ts';
import { keyOf, percentDecode, routedUrl, splitTarget } from './request-target.ts';

function checkKey(path: string, hex: string): void {
  assert.equal(keyOf(path).toString('hex'), hex);
}

test('target: key: text stands for itself', () => checkKey('/v1/kv/app', '617070'));
test('target: key: percent-encoding is any byte, not only UTF-8', () => checkKey('/v1/kv/%00%ff%C3a', '00ffc361'));
test('target: key: an encoded percent sign is decoded once', () => checkKey('/v1/kv/%2525', '253235'));
test('target: key: slashes belong to it, at the end and in a row', () => checkKey('/v1/kv//a//b/', '2f612f2f622f'));
test('target: key: an encoded slash is a slash', () => checkKey('/v1/kv/a%2Fb', '612f62'));
test('target: key: a plus is a plus', () => checkKey('/v1/kv/a+b', '612b62'));
test('target: key: dots are no directories', () => checkKey('/v1/kv/a/../b', '612f2e2e2f62'));
test('target: key: bytes that nobody encoded stand for themselves, one a character', () => {
  checkKey(`/v1/kv/${Buffer.from('naïve').toString('latin1')}`, Buffer.from('naïve').toString('hex'));
});

for (const malformed of ['%', 'a%', '%4', '%4g', '%g4', 'a%%41', '% 41', '%-1']) {
  test(`target: key: ${malformed} is malformed`, () => {
    assert.throws(
      () => percentDecode(malformed, 'key'),
      (error) => error instanceof BalsaError && error.code === 'bad_request' && error.extras['parameter'] === 'key',
    );
  });
}

test('target: the empty key is refused', () => {
  assert.throws(() => keyOf('/v1/kv/'), { code: 'bad_request' });
});

test('target: the route itself is not percent-decoded: one key has one URL for whoever grants access by path', () => {
  assert.throws(() => keyOf('/v1/%6bv/a'), { code: 'not_found' });
});

test('target: every key has the same route', () => {
  for (const url of ['/v1/kv/a', '/v1/kv/%', '/v1/kv/a?prevKv=%', '/v1/kv/', 'http://host:1/v1/kv/a']) {
    assert.equal(routedUrl(url), '/v1/kv/*');
  }
  for (const url of ['/v1/kv', '/v1/kv?prefix=a', '/v1/kvs', '/']) assert.equal(routedUrl(url), url);
});

test('target: absolute form: a proxy sends the whole URL', () => {
  assert.deepEqual(splitTarget('http://host:1/v1/kv?limit=2'), { path: '/v1/kv', query: 'limit=2' });
  assert.deepEqual(splitTarget('http://host'), { path: '/', query: '' });
});

test('target: the query begins at the first question mark', () => {
  assert.deepEqual(splitTarget('/v1/kv/a?start=?'), { path: '/v1/kv/a', query: 'start=?' });
});

test('target: a fragment is refused: its sender meant a key or a parameter to go on', () => {
  assert.throws(() => splitTarget('/v1/kv/a#b'), { code: 'bad_request' });
});
