import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatOf, parseHex, valueText } from './value-text.ts';

test('value: shown as JSON, as text or as bytes, by what it is', () => {
  assert.equal(formatOf(Buffer.from('{"a":1}')), 'json');
  assert.equal(formatOf(Buffer.from('{"a":1')), 'text');
  assert.equal(formatOf(Buffer.from('12')), 'text');
  assert.equal(formatOf(Buffer.from('a\tb\r\nc')), 'text');
  assert.equal(formatOf(Buffer.from('a\0b')), 'hex');
  assert.equal(formatOf(Uint8Array.of(0xff)), 'hex');
  assert.equal(formatOf(new Uint8Array()), 'text');
});

test('value: JSON is indented without changing a digit of its numbers', () => {
  const text = '{"id":12345678901234567890,"list":[1.50,{"a":"x, {y}:[]"}],"none":{},"empty":[]}';
  const pretty = valueText(Buffer.from(text), 'json');
  assert.deepEqual(pretty.split('\n'), [
    '{',
    '  "id": 12345678901234567890,',
    '  "list": [',
    '    1.50,',
    '    {',
    '      "a": "x, {y}:[]"',
    '    }',
    '  ],',
    '  "none": {},',
    '  "empty": []',
    '}',
  ]);
});

test('value: bytes are shown sixteen a line', () => {
  const value = Uint8Array.from({ length: 18 }, (_, i) => 0x3f + i);
  assert.deepEqual(valueText(value, 'hex').split('\n'), [
    '00000000  3f 40 41 42 43 44 45 46 47 48 49 4a 4b 4c 4d 4e  ?@ABCDEFGHIJKLMN',
    `00000010  4f 50${' '.repeat(42)}  OP`,
  ]);
});

test('value: hexadecimal digits are bytes, and what is none is refused', () => {
  assert.deepEqual([...parseHex('00 ff\n7A')], [0, 255, 122]);
  assert.throws(() => parseHex('0'), /pairs of hexadecimal digits/);
  assert.throws(() => parseHex('zz'), /pairs of hexadecimal digits/);
});
