import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BalsaError } from '../contract/errors.ts';
import { keyPath } from './key-path.ts';

const paths: readonly [key: string | Uint8Array, path: string][] = [
  ['simple', '/v1/kv/simple'],
  ['config/color', '/v1/kv/config%2Fcolor'],
  ['a b?c#d%e+f', '/v1/kv/a%20b%3Fc%23d%25e%2Bf'],
  ['grün', '/v1/kv/gr%C3%BCn'],
  [Uint8Array.of(0, 0xff, 0x41), '/v1/kv/%00%FFA'],
  ['../../metrics', '/v1/kv/..%2F..%2Fmetrics'],
  ['a/./b', '/v1/kv/a%2F.%2Fb'],
];

for (const [key, path] of paths) {
  test(`key path: ${JSON.stringify(key)} survives every URL parser`, () => {
    assert.equal(keyPath(key), path);
    assert.equal(new URL(path, 'http://localhost').pathname, path);
  });
}

test('key path: keys that no URL can name are refused', () => {
  for (const key of ['', '.', '..']) {
    assert.throws(
      () => keyPath(key),
      (reason) => reason instanceof BalsaError && reason.code === 'bad_request' && reason.extras['parameter'] === 'key',
    );
  }
});
