import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { TxnRequest } from '../contract/txn.ts';
import { MalformedBytes, UnknownFormat } from './byte-layout.ts';
import {
  type Command,
  decodeCommand,
  decodeCommands,
  deleteRangeLimits,
  encodeCommand,
  needsOwnEntry,
} from './command.ts';
import { fuzz } from './testing/fuzz.ts';
import { bytes } from './testing/test-store.ts';

const nothing = Buffer.alloc(0);
const key = Buffer.from('key');
const value = Buffer.from('value');
const single = { start: key, end: Buffer.from('key\0') };
const limits = { keysMax: 5, bytesMax: 2 ** 53 - 1 };

const pointTxn: TxnRequest = {
  compare: [
    { range: single, is: '=', target: 'modRevision', value: 5 },
    { range: single, is: '!=', target: 'value', value },
    { range: single, is: '<', target: 'lease', value: 7n },
  ],
  success: [
    { kind: 'put', key, value, previous: true, keepsValue: false, keepsLease: false, lease: 7n },
    { kind: 'txn', txn: { compare: [], success: [], failure: [] } },
  ],
  failure: [{ kind: 'delete', range: single, previous: false }],
};

const rangeTxn: TxnRequest = {
  compare: [],
  success: [
    {
      kind: 'range',
      range: { start: nothing, end: undefined },
      limit: 3,
      keysOnly: false,
      countOnly: true,
      sort: 'value',
      order: 'desc',
      bounds: { minModRevision: 4 },
      revision: 6,
    },
  ],
  failure: [],
};

/** Each with its bytes as released: a member that reads an old log has to understand them for good. */
const samples: readonly (readonly [Command, string])[] = [
  [
    { kind: 'put', key, value, condition: undefined, previous: false },
    '0101000000000003' + '6b6579' + '00000005' + '76616c7565',
  ],
  [
    { kind: 'put', key, value: nothing, condition: { kind: 'exists' }, previous: true },
    '01010101000000036b6579' + '00000000',
  ],
  [
    { kind: 'put', key: nothing, value, condition: { kind: 'absent' }, previous: false },
    '0101000200000000' + '0000000576616c7565',
  ],
  [
    { kind: 'delete', key, condition: { kind: 'modRevisionIn', revisions: [7, 2 ** 53 - 1] }, previous: true },
    '0102010300000002' + '0000000000000007' + '001fffffffffffff' + '000000036b6579',
  ],
  [
    { kind: 'delete', key, condition: { kind: 'modRevisionIn', revisions: [] }, previous: false },
    '0102000300000000' + '000000036b6579',
  ],
  [
    { kind: 'deleteRange', range: { start: key, end: undefined }, ...limits },
    '0103' + '0000000000000005' + '001fffffffffffff' + '000000036b6579' + '00',
  ],
  [
    { kind: 'deleteRange', range: { start: nothing, end: key }, ...limits },
    '0103' + '0000000000000005' + '001fffffffffffff' + '00000000' + '01' + '000000036b6579',
  ],
  [
    { kind: 'publish', memberId: 'a1', name: 'é', clientUrls: ['http://a', ''], version: '1' },
    '0104' + '000000026131' + '00000002c3a9' + '00000002' + '00000008687474703a2f2f61' + '00000000' + '0000000131',
  ],
  [
    { kind: 'put', key, value, condition: undefined, previous: true, keepsValue: false, keepsLease: false, lease: 7n },
    '010109' + '00' + '0000000000000007' + '000000036b6579' + '0000000576616c7565',
  ],
  [
    { kind: 'put', key, value: nothing, condition: undefined, previous: false, keepsValue: true, keepsLease: true },
    '010106' + '00' + '000000036b6579' + '00000000',
  ],
  [
    { kind: 'txn', txn: pointTxn, answerBytesMax: 9 },
    '010500000000000000000900000003000000036b657901000000046b65790000030000000000000005000000036b65790100' +
      '0000046b65790001000000000576616c7565000000036b657901000000046b65790002040000000000000007000000020000' +
      '0000036b65790000000576616c75650100000000000000000007030000000000000000000000000000000102000000036b65' +
      '7901000000046b65790000',
  ],
  [
    { kind: 'txn', txn: rangeTxn, answerBytesMax: 9 },
    '0105010000000000000009000000000000000101000000000000000000000000030000000000000006000104010000000000' +
      '00000400000000000000000000000000000000000000000000000000000000',
  ],
  [{ kind: 'compact', revision: 7 }, '0106' + '0000000000000007'],
  [{ kind: 'leaseGrant', id: 2n ** 63n - 1n, ttl: 30 }, '0107' + '7fffffffffffffff' + '000000000000001e'],
  [{ kind: 'leaseRevoke', id: 7n }, '0108' + '0000000000000007'],
  [
    { kind: 'leaseExpire', term: 3, ids: [7n, 8n] },
    '0109' + '0000000000000003' + '00000002' + '0000000000000007' + '0000000000000008',
  ],
  [
    {
      kind: 'leaseCheckpoint',
      term: 3,
      leases: [
        { id: 7n, remaining: 5 },
        { id: 8n, remaining: undefined },
      ],
    },
    '010a' +
      '0000000000000003' +
      '00000002' +
      '0000000000000007' +
      '01' +
      '0000000000000005' +
      '0000000000000008' +
      '00',
  ],
  [{ kind: 'quota', bytes: 5 }, '010b' + '0000000000000005'],
  [{ kind: 'checkState' }, '010c'],
  [
    { kind: 'alarm', action: 'raise', memberId: 'a1', index: 7, hash: 255 },
    '010d' + '01' + '000000026131' + '0000000000000007' + '000000ff',
  ],
  [
    {
      kind: 'memberAdd',
      member: { id: 'd4', name: 'n', peerUrls: ['u'], clientUrls: [], version: '', promote: 'auto' },
    },
    '020f' + '000000026434' + '000000016e' + '00000001' + '0000000175' + '00000000' + '00000000' + '0101',
  ],
  [
    { kind: 'memberAdd', member: { id: 'd4', name: '', peerUrls: [], clientUrls: [], version: '1' } },
    '020f' + '000000026434' + '00000000' + '00000000' + '00000000' + '0000000131' + '00',
  ],
  [{ kind: 'memberRemove', memberId: 'a1' }, '0210' + '000000026131'],
  [
    { kind: 'memberUpdate', memberId: 'a1', peerUrls: ['u', 'v'] },
    '0211' + '000000026131' + '00000002' + '0000000175' + '0000000176',
  ],
  [{ kind: 'memberPromoted', memberId: 'a1' }, '0212' + '000000026131'],
  [
    { kind: 'once', token: 'é', command: { kind: 'compact', revision: 7 } },
    '010e' + '00000002c3a9' + '0106' + '0000000000000007',
  ],
  [
    { kind: 'once', token: 't', command: { kind: 'txn', txn: pointTxn, answerBytesMax: 9 } },
    '010e0000000174010500000000000000000900000003000000036b657901000000046b657900000300000000000000050000' +
      '00036b657901000000046b65790001000000000576616c7565000000036b657901000000046b657900020400000000000000' +
      '070000000200000000036b65790000000576616c756501000000000000000000070300000000000000000000000000000001' +
      '02000000036b657901000000046b65790000',
  ],
];

test('command: a range comes back as it was, however long its keys are', () => {
  for (let length = 0; length < 3000; length++) {
    for (const end of [undefined, key]) {
      const command: Command = { kind: 'deleteRange', range: { start: Buffer.alloc(length, 's'), end }, ...limits };
      assert.deepEqual(decodeCommand(encodeCommand(command)), command, `${length} bytes`);
    }
  }
});

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
  assert.deepEqual({ keysMax: command.keysMax, bytesMax: command.bytesMax }, deleteRangeLimits);
});

test('command: a later format is told apart from damage', () => {
  const later = encodeCommand(samples[0]?.[0] ?? assert.fail());
  later[0] = 3;
  assert.throws(() => decodeCommand(later), {
    name: 'UnknownFormat',
    message: /format 3.*formats up to 2.*older than the log/,
  });
});

test('command: what is malformed is said', () => {
  check('', /1 bytes wanted at byte 0, beyond the end/);
  check('00', /format 0/);
  check('0263', /kind 99/);
  check('020b0000000000000005', /format 2 of kind 11/);
  check('0111000000026131', /format 1 of kind 17/);
  check('010110', /flags 16/);
  check('010202', /flag 2/);
  check('01010009', /condition 9/);
  check('01010000ffffffff6b', /4294967295 bytes wanted at byte 8/);
  check('01020003ffffffff', /a list of 4294967295 items, cut short/);
  check('010200030000000100200000000000006b', /a number above 2\^53/);
  check('010400000001ff', /not UTF-8/);
  check(`${samples[5]?.[1]}00`, /1 bytes too many/);
});

test('command: a log entry holds several, one after another, unless one of them reads ranges', () => {
  const sharing = samples.filter(([, hex]) => !needsOwnEntry(Buffer.from(hex, 'hex')));
  const alone = samples.filter(([, hex]) => needsOwnEntry(Buffer.from(hex, 'hex')));
  assert.equal(sharing.length + alone.length, samples.length);
  const shared = Buffer.from(sharing.map(([, hex]) => hex).join(''), 'hex');
  assert.deepEqual(
    decodeCommands(shared),
    sharing.map(([command]) => command),
  );
  for (const [command, hex] of alone) {
    const bytes = Buffer.from(hex, 'hex');
    assert.deepEqual(decodeCommands(bytes), [command]);
    for (const entry of [Buffer.concat([bytes, shared]), Buffer.concat([shared, bytes])]) {
      assert.throws(() => decodeCommands(entry), { name: 'MalformedBytes', message: /shares one with others/ });
    }
  }
  assert.throws(() => decodeCommands(Buffer.alloc(0)), MalformedBytes);
});

test('command: any bytes decode to commands that encode to them, or are refused', () => {
  const encoded = samples.map(([, hex]) => Buffer.from(hex, 'hex'));
  fuzz(1_001, encoded, 20_000, (bytes) => {
    try {
      assert.deepEqual(Buffer.concat(decodeCommands(bytes).map(encodeCommand)), bytes);
    } catch (reason) {
      if (!(reason instanceof MalformedBytes || reason instanceof UnknownFormat)) throw reason;
    }
  });
});

function check(hex: string, message: RegExp): void {
  assert.throws(() => decodeCommand(Buffer.from(hex, 'hex')), { name: 'MalformedBytes', message });
}
