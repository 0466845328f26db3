import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyText, parseKeyText } from './key-text.ts';

test('key text: keys are readable, and what is no text can be told from what looks like it', () => {
  assert.equal(keyText(Buffer.from('app/naïve 🔑')), 'app/naïve 🔑');
  assert.equal(keyText(Uint8Array.of(0x61, 0xff, 0x00)), 'a\\xff\\x00');
  assert.equal(keyText(Buffer.from('a\\xff')), 'a\\\\xff');
  assert.equal(keyText(Buffer.from('line\nbreak')), 'line\\x0abreak');
  assert.equal(keyText(Buffer.from('safe\u202Etxt')), 'safe\\xe2\\x80\\xaetxt');
});

test('key text: every key comes back as it was', () => {
  const all = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  for (const key of [all, Buffer.from('é\\x41\\\\'), Buffer.from('\u200f'), Buffer.from('')]) {
    assert.deepEqual([...parseKeyText(keyText(key))], [...key]);
  }
});

test('key text: a lone backslash is refused with a word on what to write', () => {
  assert.throws(() => parseKeyText('C:\\dir'), /Write \\\\ for a backslash/);
});
