import assert from 'node:assert/strict';
import { test } from 'node:test';
import { printable, table } from './output.ts';

test('table: columns are as wide as their widest cell, and no line ends in spaces', () => {
  assert.equal(
    table(
      ['KEY', 'VALUE'],
      [
        ['a', 'long value'],
        ['longer', ''],
      ],
    ),
    'KEY     VALUE\na       long value\nlonger\n',
  );
});

test('printable: text stays, what could move the cursor is escaped, other bytes are hexadecimal', () => {
  assert.equal(printable(Buffer.from('grün')), 'grün');
  assert.equal(printable(Buffer.from('a\u001B[2Jb\n')), 'a\\x1b[2Jb\\x0a');
  assert.equal(printable(Uint8Array.of(0x61, 0xff, 0x00)), 'a\\xff\\x00');
});
