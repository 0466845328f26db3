import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UnknownFormat } from './byte-layout.ts';
import { KeySpace } from './key-space.ts';
import { decodeMember, decodeRemovedMember, encodeMember, encodeRemovedMember } from './members-table.ts';
import { DamagedValue, decodeRecord, encodeRecord } from './record.ts';
import { seal } from './sealed.ts';
import { decodeState, emptyState, encodeState } from './store-state.ts';
import { fuzz } from './testing/fuzz.ts';

const keySpace = new KeySpace(0);
const key = keySpace.key('current', Buffer.from('key')).bytes;
const record = { createRevision: 2, modRevision: 2 ** 53 - 1, version: 3, value: Buffer.from('value') };

const state = { ...emptyState, appliedIndex: 9, revision: 8, keyCount: 7 };
const learner = {
  id: 'key',
  name: 'l',
  peerUrls: ['http://b:1'],
  clientUrls: [],
  version: '',
  promote: 'manual',
} as const;
const member = { id: 'key', name: 'né', peerUrls: ['http://a:1', ''], clientUrls: [], version: '1.0.0' };

test('record: comes back as it was', () => {
  assert.deepEqual(decodeRecord(key, encodeRecord(key, record)), record);
  const empty = { ...record, value: Buffer.alloc(0) };
  assert.deepEqual(decodeRecord(key, encodeRecord(key, empty)), empty);
  assert.deepEqual(decodeState(key, encodeState(key, state)), state);
  assert.deepEqual(decodeMember(key, encodeMember(key, member)), member);
  assert.deepEqual(decodeMember(key, encodeMember(key, learner)), learner);
  assert.equal(decodeRemovedMember(key, encodeRemovedMember(key)), 'key');
});

test('record: owns its bytes', () => {
  const value = Buffer.from('value');
  const bytes = encodeRecord(key, { ...record, value });
  value.fill(0xde);
  assert.deepEqual(decodeRecord(key, bytes).value, Buffer.from('value'));
});

test('record: one wrong bit anywhere is damage', () => {
  const decoders = [
    [encodeRecord(key, record), decodeRecord],
    [encodeState(key, state), decodeState],
    [encodeMember(key, member), decodeMember],
    [encodeMember(key, learner), decodeMember],
    [encodeRemovedMember(key), decodeRemovedMember],
  ] as const;
  for (const [good, decode] of decoders) {
    for (let bit = 0; bit < good.length * 8; bit++) {
      const bytes = Buffer.from(good);
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      assert.throws(() => decode(key, bytes), DamagedValue, `bit ${bit}`);
    }
  }
});

test('record: in the place of another key, table or group it is damage', () => {
  const bytes = encodeRecord(key, record);
  assert.throws(() => decodeRecord(keySpace.key('current', Buffer.from('kez')).bytes, bytes), DamagedValue);
  assert.throws(() => decodeRecord(keySpace.key('members', Buffer.from('key')).bytes, bytes), DamagedValue);
  assert.throws(() => decodeRecord(new KeySpace(1).key('current', Buffer.from('key')).bytes, bytes), DamagedValue);
});

test('record: damage names the key so that a person can read it', () => {
  const odd = keySpace.key('current', Buffer.from('a"\x00\xff/b', 'latin1')).bytes;
  const found = catchError(() => decodeRecord(odd, Buffer.alloc(40)));
  assert(found instanceof DamagedValue);
  assert.deepEqual(Buffer.from(found.key), Buffer.from('a"\x00\xff/b', 'latin1'));
  assert.match(
    found.message,
    /key "a\\x22\\x00\\xff\/b" \(current\) is damaged: its checksum is [0-9a-f]{8}, not 00000000/,
  );

  const long = keySpace.key('current', Buffer.alloc(8_000, 'x')).bytes;
  assert.match(String(catchError(() => decodeRecord(long, Buffer.alloc(2)))), /x{128}… \(8000 bytes\).*it has 2 bytes/);
});

test('record: of a later format, whole: says that the software is older than the data', () => {
  for (const [bytes, decode] of [
    [encodeRecord(key, record), decodeRecord],
    [encodeState(key, state), decodeState],
    [encodeMember(key, member), decodeMember],
    [encodeRemovedMember(key), decodeRemovedMember],
  ] as const) {
    bytes[0] = 3;
    seal(key, bytes);
    assert.throws(() => decode(key, bytes), { name: 'UnknownFormat', message: /format 3.*older than the data/ });
  }
});

test('record: a member that votes and one that learns keep their bytes', () => {
  const bytes =
    '01000000036ec3a900000002' + '0000000a687474703a2f2f613a31' + '00000000' + '00000000' + '00000005312e302e30';
  assert.equal(encodeMember(key, member).toString('hex').slice(0, -8), bytes);
  const learning = '02000000016c00000001' + '0000000a687474703a2f2f623a31' + '00000000' + '00000000' + '02';
  assert.equal(encodeMember(key, learner).toString('hex').slice(0, -8), learning);
});

test('record: with a flag that a later version defines: is not read as if it were not there', () => {
  const bytes = encodeRecord(key, record);
  bytes[1] = 4;
  assert.throws(() => decodeRecord(key, seal(key, bytes)), UnknownFormat);
});

test('record: any bytes, even sealed ones, decode or are refused', () => {
  const samples = [encodeRecord(key, record), encodeState(key, state), encodeMember(key, member)];
  fuzz(1_003, samples, 10_000, (bytes) => {
    for (const decode of [decodeRecord, decodeState, decodeMember]) {
      for (const sealed of [bytes, bytes.length >= 4 ? seal(key, Buffer.from(bytes)) : bytes]) {
        const reason = catchError(() => decode(key, sealed));
        if (reason !== undefined && !(reason instanceof DamagedValue || reason instanceof UnknownFormat)) throw reason;
      }
    }
  });
});

function catchError(act: () => unknown): unknown {
  try {
    act();
    return undefined;
  } catch (reason) {
    return reason;
  }
}
