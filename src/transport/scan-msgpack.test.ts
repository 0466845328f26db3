import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Packr } from 'msgpackr';
import { scanMsgpack } from './scan-msgpack.ts';

const packr = new Packr({ useRecords: false });

test('scan: what frames hold is let through', () => {
  const values = [0, 127, 128, 255, 256, 65_536, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER, true, false, null];
  check(packr.pack(values), undefined);
  check(packr.pack(['', 'a', 'b'.repeat(31), 'c'.repeat(200), 'd'.repeat(1000)]), undefined);
  check(packr.pack([Buffer.alloc(0), Buffer.alloc(255), Buffer.alloc(65_535), Buffer.alloc(65_536)]), undefined);
  check(packr.pack([[], [[]], Array(15).fill(1), Array(16).fill(1)]), undefined);
  check(packr.pack(Array(70_000).fill(Buffer.alloc(16))), undefined);
});

test('scan: a declared length that the bytes cannot fill is refused, whatever its kind', () => {
  check('dd 02000000', 'a length of 33554432 was declared, 0 bytes are left');
  check('dc ffff 00', 'a length of 65535 was declared, 1 bytes are left');
  check('9f 00', 'a length of 15 was declared, 1 bytes are left');
  check('91 91', 'a length of 1 was declared, 0 bytes are left');
  check('93 01 02 91 00', undefined);
  check('93 9100 9100', 'the bytes end within a value');
  check('c6 00000002 00', 'a length of 2 was declared, 1 bytes are left');
  check('c5 0002 00', 'a length of 2 was declared, 1 bytes are left');
  check('c4 02 00', 'a length of 2 was declared, 1 bytes are left');
  check('da 0002 61', 'a length of 2 was declared, 1 bytes are left');
  check('cb 00000000000000', 'a length of 8 was declared, 7 bytes are left');
  check('dd 0200', 'the bytes end within a length');
  check('', 'the bytes end within a value');
});

test('scan: kinds that frames never hold are refused', () => {
  const kinds = ['80', 'de0000', 'df00000000', 'c7000100', 'd40100', 'd6 01 00000000', 'c1', 'ca00000000', 'e0'];
  for (const kind of [
    ...kinds,
    'd000',
    'd10000',
    'd200000000',
    'd30000000000000000',
    'cf0000000000000000',
    'db00000000',
  ]) {
    assert.match(scan(kind) ?? 'let through', /^a value of a kind that frames do not hold/, kind);
  }
});

test('scan: negative numbers are refused, -0 too', () => {
  check('cb 8000000000000000', 'a negative number');
  check('cb bff0000000000000', 'a negative number');
  check('cb fff8000000000000', 'a negative number');
  check('cb 4200000000000000', undefined);
});

test('scan: nesting is bounded', () => {
  check(`${'91'.repeat(8)}00`, undefined);
  check(`${'91'.repeat(9)}00`, 'arrays are nested deeper than 8');
  check(Buffer.alloc(1_000_000, 0x91), 'arrays are nested deeper than 8');
});

test('scan: many tiny values, which cost much more memory than bytes, are refused', () => {
  const bytes = Buffer.alloc(100_000, 0x90);
  bytes.set(Buffer.from('dd0001869b', 'hex'));
  check(bytes, 'more than 7274 values in 100000 bytes');
});

test('scan: a long string is refused', () => {
  check(packr.pack('a'.repeat(1025)), 'a string of 1025 bytes');
});

test('scan: bytes behind the value are refused', () => {
  check('00 00', '1 bytes follow the value');
});

function check(bytes: Buffer | string, expected: string | undefined): void {
  assert.equal(scan(bytes), expected);
}

function scan(bytes: Buffer | string): string | undefined {
  return scanMsgpack(typeof bytes === 'string' ? Buffer.from(bytes.replaceAll(' ', ''), 'hex') : bytes);
}
