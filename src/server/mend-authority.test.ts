import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mendAuthority } from './mend-authority.ts';

/** As Go's encoder writes it: `:method POST`, `:scheme http`, `:path` and `:authority` as literals that go into the table. */
const before = Buffer.from('838644', 'hex');
const path = Buffer.concat([Buffer.of(5), Buffer.from('/a/Bc')]);

test('authority: a URL without coding gets dots for its slashes, and keeps its length', () => {
  const url = Buffer.from('http://127.0.0.1:2379');
  const block = Buffer.concat([before, path, Buffer.of(0x41, url.length), url, Buffer.of(0x83)]);
  const expected = Buffer.concat([
    before,
    path,
    Buffer.of(0x41, url.length),
    Buffer.from('http:..127.0.0.1:2379'),
    Buffer.of(0x83),
  ]);
  assert.deepEqual(mendAuthority(block), expected);
});

test('authority: a URL in Huffman code is written without it', () => {
  const text = 'http://127.0.0.1:36933';
  const coded = huffman(text);
  assert.ok(coded.length < text.length);
  const block = Buffer.concat([before, path, Buffer.of(0x41, 0x80 | coded.length), coded]);
  const plain = Buffer.from('http:..127.0.0.1:36933');
  assert.deepEqual(mendAuthority(block), Buffer.concat([before, path, Buffer.of(0x41, plain.length), plain]));
});

test('authority: one that is in order, and a block that is none, are left as they are', () => {
  const host = Buffer.from('localhost:2379');
  const fine = Buffer.concat([before, path, Buffer.of(0x41, host.length), host]);
  assert.equal(mendAuthority(fine), fine);
  for (const broken of ['', '41', '417f', '41ff', '41ffffffffffffff', '40', '0f']) {
    const block = Buffer.from(broken, 'hex');
    assert.equal(mendAuthority(block), block);
  }
});

/** RFC 7541, appendix B, as far as it is needed. */
const codes: Readonly<Record<string, string>> = {
  h: '100111',
  t: '01001',
  p: '101011',
  ':': '1011100',
  '/': '011000',
  '.': '010111',
  '0': '00000',
  '1': '00001',
  '2': '00010',
  '3': '011001',
  '6': '011100',
  '7': '011101',
  '9': '011111',
};

function huffman(text: string): Buffer {
  const bits = [...text].map((letter) => codes[letter] ?? '').join('');
  const padded = bits.padEnd(Math.ceil(bits.length / 8) * 8, '1');
  return Buffer.from((padded.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}
