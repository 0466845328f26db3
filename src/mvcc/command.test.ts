import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MalformedBytes, UnknownFormat } from './byte-layout.ts';
import { type Command, decodeCommand, deleteRangeLimits, encodeCommand } from './command.ts';
import { fuzz } from './testing/fuzz.ts';
import { bytes } from './testing/test-store.ts';

const nothing = Buffer.alloc(0);
const key = Buffer.from('key');
const value = Buffer.from('value');
const limits = { keysMax: 5, keyBytesMax: 2 ** 53 - 1 };

/** Each with its bytes as released: a member that reads an old log has to understand them for good. */
const samples: readonly (readonly [Command, string])[] = [
  [{ kind: 'put', key, value, condition: undefined, previous: false }, '01010000000000036b657976616c7565'],
  [{ kind: 'put', key, value: nothing, condition: { kind: 'exists' }, previous: true }, '01010101000000036b6579'],
  [{ kind: 'put', key: nothing, value, condition: { kind: 'absent' }, previous: false }, '010100020000000076616c7565'],
  [
    { kind: 'delete', key, condition: { kind: 'modRevisionIn', revisions: [7, 2 ** 53 - 1] }, previous: true },
    '0102010300000002' + '0000000000000007' + '001fffffffffffff' + '6b6579',
  ],
  [
    { kind: 'delete', key, condition: { kind: 'modRevisionIn', revisions: [] }, previous: false },
    '01020003000000006b6579',
  ],
  [
    { kind: 'deleteRange', range: { start: key, end: undefined }, ...limits },
    '0103' + '0000000000000005' + '001fffffffffffff' + '000000036b6579' + '00',
  ],
  [
    { kind: 'deleteRange', range: { start: nothing, end: key }, ...limits },
    '0103' + '0000000000000005' + '001fffffffffffff' + '00000000' + '016b6579',
  ],
  [
    { kind: 'publish', memberId: 'a1', name: 'é', clientUrls: ['http://a', ''], version: '1' },
    '0104' + '000000026131' + '00000002c3a9' + '00000002' + '00000008687474703a2f2f61' + '00000000' + '0000000131',
  ],
];

test('command: every kind comes back as it was, from the bytes it always had', () => {
  for (const [command, hex] of samples) {
    assert.equal(encodeCommand(command).toString('hex'), hex);
    assert.deepEqual(decodeCommand(Buffer.from(hex, 'hex')), command);
    assert.deepEqual(decodeCommand(new Uint8Array(Buffer.from(hex, 'hex'))), command);
  }
});

test('command: the limits of a range deletion travel in it', () => {
  const encoded = encodeCommand({ kind: 'deleteRange', range: { start: bytes('a'), end: undefined } });
  const command = decodeCommand(encoded);
  assert(command.kind === 'deleteRange');
  assert.deepEqual({ keysMax: command.keysMax, keyBytesMax: command.keyBytesMax }, deleteRangeLimits);
});

test('command: a later format is told apart from damage', () => {
  const later = encodeCommand(samples[0]?.[0] ?? assert.fail());
  later[0] = 2;
  assert.throws(() => decodeCommand(later), {
    name: 'UnknownFormat',
    message: /format 2.*formats up to 1.*older than the log/,
  });
});

test('command: what is malformed is said', () => {
  check('', /1 bytes wanted at byte 0, beyond the end/);
  check('00', /format 0/);
  check('0163', /kind 99/);
  check('010102', /flag 2/);
  check('01010009', /condition 9/);
  check('01010000ffffffff6b', /4294967295 bytes wanted at byte 8/);
  check('01020003ffffffff', /a list of 4294967295 items, cut short/);
  check('010200030000000100200000000000006b', /a number above 2\^53/);
  check('010400000001ff', /not UTF-8/);
  check(`${samples[5]?.[1]}00`, /1 bytes too many/);
});

test('command: any bytes decode to a command that encodes to them, or are refused', () => {
  const encoded = samples.map(([, hex]) => Buffer.from(hex, 'hex'));
  fuzz(1_001, encoded, 20_000, (bytes) => {
    try {
      assert.deepEqual(encodeCommand(decodeCommand(bytes)), bytes);
    } catch (reason) {
      if (!(reason instanceof MalformedBytes || reason instanceof UnknownFormat)) throw reason;
    }
  });
});

function check(hex: string, message: RegExp): void {
  assert.throws(() => decodeCommand(Buffer.from(hex, 'hex')), { name: 'MalformedBytes', message });
}
