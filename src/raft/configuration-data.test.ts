import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../base/random.ts';
import { decodeConfigurationData, encodeConfigurationData } from './configuration-data.ts';
import { votersOf } from './testing/core.ts';
import type { Configuration } from './types.ts';

const joint: Configuration = {
  voters: ['1', 'ffffffffffffffff'],
  votersOutgoing: ['1', '2a'],
  learners: ['3'],
  learnersNext: ['2a'],
  autoLeave: true,
};

test('configuration data: the layout, byte for byte', () => {
  const golden =
    '01 01' +
    '02 0000000000000001 ffffffffffffffff' +
    '02 0000000000000001 000000000000002a' +
    '01 0000000000000003' +
    '01 000000000000002a' +
    '6162';
  const data = encodeConfigurationData(joint, Buffer.from('ab'));
  assert.equal(data.toString('hex'), golden.replaceAll(' ', ''));
  assert.deepEqual(decodeConfigurationData(data), { configuration: joint, context: Buffer.from('ab') });
  const simple = encodeConfigurationData(votersOf('7'), new Uint8Array(0));
  assert.equal(simple.toString('hex'), '0100010000000000000007000000');
  assert.deepEqual(decodeConfigurationData(simple), { configuration: votersOf('7'), context: Buffer.alloc(0) });
});

test('configuration data: what holds no configuration that could be in effect is none', () => {
  const data = encodeConfigurationData(joint, Buffer.alloc(0));
  for (let length = 0; length < data.length; length++) {
    assert.equal(decodeConfigurationData(data.subarray(0, length)), undefined, `cut after ${length} bytes`);
  }
  const changed = (at: number, byte: number): Buffer => {
    const copy = Buffer.from(data);
    copy[at] = byte;
    return copy;
  };
  assert.equal(decodeConfigurationData(changed(0, 2)), undefined, 'another format');
  assert.equal(decodeConfigurationData(changed(1, 2)), undefined, 'neither true nor false');
  assert.equal(decodeConfigurationData(changed(2, 255)), undefined, 'more members than there are bytes');
  assert.equal(decodeConfigurationData(changed(10, 0)), undefined, 'a member 0');
  assert.equal(decodeConfigurationData(Buffer.from('010000000000', 'hex')), undefined, 'nobody');
});

test('configuration data: any bytes give a configuration or none, and never throw', () => {
  const random = seededRandom(3);
  for (let i = 0; i < 20_000; i++) {
    const data = Buffer.from(encodeConfigurationData(joint, Buffer.from('context')));
    for (let flips = 1 + random.below(4); flips > 0; flips--) data[random.below(data.length)] = random.below(256);
    const decoded = decodeConfigurationData(data);
    if (decoded === undefined) continue;
    assert.deepEqual(encodeConfigurationData(decoded.configuration, decoded.context), data);
  }
});
