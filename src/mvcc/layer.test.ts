import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../base/random.ts';
import { KeySpace } from './key-space.ts';
import { Layer, LayersCursor } from './layer.ts';

test('layer: what an older layer says counts only where the newer one says nothing', () => {
  const older = layer({ a: 'old', b: 'old', c: null });
  const newer = layer({ b: 'new', a: null });
  newer.absorb(older);
  assert.equal(newer.get('a'), null);
  assert.equal(newer.get('b')?.toString(), 'new');
  assert.equal(newer.get('c'), null);
  assert.equal(newer.get('d'), undefined);
  assert.equal(older.get('a')?.toString(), 'old');
});

test('layer: counts the bytes of the keys once, and of all records that it holds in memory', () => {
  const changes = layer({ key: Buffer.alloc(1000).toString() });
  const first = changes.bytes;
  assert.ok(first >= 1003 && first < 1030, `${first}`);
  changes.set('key', Buffer.alloc(1000));
  assert.equal(changes.bytes, 2 * first - 3);
  changes.set('key', null);
  assert.equal(changes.bytes, 2 * first - 3);
});

test('layer: what is written once is found by name, in its order and by a reader, whoever asks first', () => {
  const keySpace = new KeySpace(1);
  const present = keySpace.key('current', Buffer.from('k'));
  const past = keySpace.key('history', Buffer.from('k@1'));
  const [value, old] = [Buffer.from('value'), Buffer.from('old value')];
  const written = () => {
    const made = new Layer();
    made.write(past, old);
    made.write(present, value);
    return made;
  };

  assert.deepEqual(read(written()), [present.name, past.name]);
  assert.equal(written().size, 2);
  assert.deepEqual(written().get(past.name), old);
  assert.deepEqual(written().sortedNames(), [present.name, past.name]);

  const reader = written().reader();
  assert.equal(reader.next(), true);
  assert.deepEqual([reader.key, reader.change], [present.bytes, value]);

  const asked = written();
  const begun = asked.reader();
  begun.next();
  asked.sortedNames();
  assert.equal(begun.next(), true);
  assert.deepEqual([begun.key, begun.change], [past.bytes, old]);
  assert.equal(begun.next(), false);
});

test('layer: the last word on what was written once counts, in one layer and across two', () => {
  const past = new KeySpace(1).key('history', Buffer.from('k@1'));
  const removed = new Layer();
  removed.write(past, Buffer.from('old value'));
  removed.write(past, null);
  assert.equal(removed.get(past.name), null);

  const older = new Layer();
  older.write(past, Buffer.from('old value'));
  const newer = new Layer();
  newer.write(past, null);
  newer.absorb(older);
  assert.equal(newer.get(past.name), null);
  older.addAll(newer);
  assert.equal(older.get(past.name), null);
  newer.write(past, Buffer.from('back'));
  older.addAll(newer);
  assert.equal(older.get(past.name)?.toString(), 'back');
  assert.deepEqual(read(older), [past.name]);
});

test('layers: are walked in byte order, the newest change of a key only', () => {
  const layers = [layer({ a: '1', b: '1', '\xff': '1' }), layer({ b: '2', c: null }), layer({ a: null })];
  assert.deepEqual(walk(layers, '', '\xff\xff'), ['a=deleted', 'b=2', 'c=deleted', '\xff=1']);
  assert.deepEqual(walk(layers, '', '\xff\xff', true), ['\xff=1', 'c=deleted', 'b=2', 'a=deleted']);
  assert.deepEqual(walk(layers, 'b', 'c'), ['b=2']);
  assert.deepEqual(walk(layers, 'c', 'b'), []);
});

test('layers: walks agree with one merged map', () => {
  const seed = 6;
  const random = seededRandom(seed);
  const name = () =>
    String.fromCharCode(
      ...Array.from({ length: random.below(3) }, () => [0, 1, 0x7f, 0x80, 0xff][random.below(5)] ?? 0),
    );
  for (let round = 0; round < 300; round++) {
    const merged = new Map<string, string>();
    const layers = Array.from({ length: random.below(5) }, (_, depth) => {
      const one = new Layer();
      for (let change = random.below(12); change > 0; change--) {
        const key = name();
        const record = random.below(3) === 0 ? null : Buffer.from(`${depth}`);
        one.set(key, record);
        merged.set(key, record?.toString() ?? 'deleted');
      }
      return one;
    });
    const [gte, lt, reverse] = [name(), name(), random.below(2) === 0];
    const inside = [...merged].filter(([key]) => key >= gte && key < lt).sort(([a], [b]) => (a < b ? -1 : 1));
    const expected = (reverse ? inside.reverse() : inside).map(([key, record]) => `${key}=${record}`);
    assert.deepEqual(walk(layers, gte, lt, reverse), expected, `seed ${seed}, round ${round}`);
  }
});

function read(one: Layer): readonly string[] {
  const names: string[] = [];
  for (const reader = one.reader(); reader.next(); ) names.push(reader.key.toString('latin1'));
  return names;
}

function layer(changes: Readonly<Record<string, string | null>>): Layer {
  const made = new Layer();
  for (const [name, record] of Object.entries(changes)) made.set(name, record === null ? null : Buffer.from(record));
  return made;
}

function walk(layers: readonly Layer[], gte: string, lt: string, reverse = false): readonly string[] {
  const found: string[] = [];
  for (const cursor = new LayersCursor(layers, { gte, lt, reverse }); cursor.name !== undefined; cursor.advance()) {
    found.push(`${cursor.name}=${cursor.change?.toString() ?? 'deleted'}`);
  }
  return found;
}
