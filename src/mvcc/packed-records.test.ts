import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../base/random.ts';
import { PackedRecords } from './packed-records.ts';

test('packed records: every record is found again, whatever their lengths', () => {
  const seed = 3;
  const random = seededRandom(seed);
  const records = new PackedRecords();
  const lengths = [0, 1, 300, 1016, 1017, 5000, 65_528, 65_529, 200_000];
  const added = Array.from({ length: 500 }, (_, i) => {
    const record = Buffer.alloc(lengths[random.below(lengths.length)] ?? 0, i);
    return { record, place: records.add(record) };
  });
  for (const { record, place } of added) assert.deepEqual(records.view(place), record, `seed ${seed}`);
  assert.equal(new Set(added.map(({ place }) => place)).size, added.length);
});

test('packed records: a few small ones take about a kilobyte, and what they take is counted', () => {
  const records = new PackedRecords();
  const place = records.add(Buffer.from('small'));
  assert.ok(records.view(place).buffer.byteLength <= 1024);
  const { bytes } = records;
  records.add(Buffer.alloc(1_000_000));
  assert.ok(records.bytes - bytes >= 1_000_000);
});

test('packed records: a record takes the place of one that had at least its length', () => {
  const records = new PackedRecords();
  const place = records.add(Buffer.from('twelve bytes'));
  const next = records.add(Buffer.from('next'));
  assert.equal(records.replace(place, Buffer.from('thirteen bytes')), false);
  assert.equal(records.view(place).toString(), 'twelve bytes');
  assert.equal(records.replace(place, Buffer.from('four')), true);
  assert.equal(records.view(place).toString(), 'four');
  assert.equal(records.replace(place, Buffer.from('twelve again')), true);
  assert.equal(records.view(place).toString(), 'twelve again');
  assert.equal(records.view(next).toString(), 'next');
});
